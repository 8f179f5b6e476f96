"""How often scores of one item would differ if they were dealt out by chance."""

from typing import NamedTuple

import numpy as np

__all__ = ["OFTEN", "Differing", "chance_of", "differing_by_chance"]

# From this share of cells or answers on an item may be odd: it is a coin toss at best.
OFTEN = 0.5


class Differing(NamedTuple):
    """By item: the share of cells whose scores differ, and the p of so many by chance."""

    share: np.ndarray
    p: np.ndarray


def differing_by_chance(scores: np.ndarray, sizes: np.ndarray, least: float) -> float:
    """The chance that scores of a cell are `least` or more apart, averaged over cells of `sizes`.

    All scores of the item are dealt out to its cells at random, without putting any back
    (hypergeometric). So the item keeps its mean, and cells have nothing of their own.
    """
    values = np.sort(scores)
    starts = np.searchsorted(values, values, side="left")
    behind = np.searchsorted(values, values, side="right")
    ends = np.searchsorted(values, values + least, side="left")
    first = np.unique(starts)
    within, without = (ends - starts)[first], (ends - behind)[first]
    n, kinds, counts = len(values), *np.unique(sizes, return_counts=True)
    shares = [1 - (_ways(within, k, n) - _ways(without, k, n)).sum() for k in kinds.tolist()]
    return float(np.clip(np.average(shares, weights=counts), 0, 1))


def chance_of(found: np.ndarray, n: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """The one-sided binomial p of `found` or more of n; NaN where the chance is not known."""
    from scipy import special

    below, known = np.maximum(found - 1, 0), np.where(np.isnan(chance), 0.0, chance)
    p = np.where(found > 0, special.bdtrc(below, np.maximum(n, 1).astype(np.int64), known), 1.0)
    return np.where(np.isnan(chance), np.nan, p)


def _ways(among: np.ndarray, size: int, n: int) -> np.ndarray:
    """The chance that `size` scores of n lie all `among` some of them."""
    drawn = np.arange(size)
    return np.prod(np.maximum(among[:, None] - drawn, 0) / (n - drawn), axis=1)
