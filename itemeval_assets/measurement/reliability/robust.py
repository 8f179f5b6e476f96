"""How far mean squares spread where effects are not normal, as those of right and wrong are not."""

from itertools import combinations
from math import prod
from typing import NamedTuple

import numpy as np

from ..intervals import t_quantile, z_quantile
from .design import Design

__all__ = ["Spread", "spread_of_squares", "widening"]

FEWEST_LEVELS = 5
ENOUGH_LEVELS = 10
# Of a spread below that of normal effects only this share is believed: it is a rough estimate.
_TRUST = 1 / 3


class Spread(NamedTuple):
    """The covariance of mean squares, and the fewest levels of a facet that it was told from."""

    covariance: np.ndarray
    fewest: int

    def of(self, kept: np.ndarray) -> "Spread":
        """That of some mean squares."""
        return self._replace(covariance=self.covariance[np.ix_(kept, kept)])


def spread_of_squares(parts: list[np.ndarray], design: Design) -> Spread | None:
    """The covariance of the mean squares of all sources, robust to levels that differ in spread.

    A mean square is a sum over the levels of a facet. Levels are independent, so the variance of
    these sums tells that of the mean square, whatever the distribution. Of several facets: that of
    each, less that of pairs, and so on (Cameron, Gelbach & Miller 2011, Journal of Business &
    Economic Statistics 29, 238-249). Random facets that are nested in none count, with five levels
    or more.
    """
    shares = [
        part**2 * design.rest(source) / design.df(source)
        for source, part in zip(design.sources, parts, strict=True)
    ]
    facets = [
        facet
        for facet in design.facets
        if not design.nested[facet]
        and facet not in design.fixed
        and design.n[facet] >= FEWEST_LEVELS
    ]
    if not facets:
        return None
    # A source without such a facet is taken for normal.
    normal = [
        0.0 if source & set(facets) else 2 * float(share.sum()) ** 2 / design.df(source)
        for source, share in zip(design.sources, shares, strict=True)
    ]
    found = np.diag(normal)
    for size in range(1, len(facets) + 1):
        for chosen in combinations(facets, size):
            n_levels = prod(design.n[facet] for facet in chosen)
            sums = np.zeros((len(shares), n_levels))
            others = tuple(axis for axis, facet in enumerate(design.facets) if facet not in chosen)
            for place, source in enumerate(design.sources):
                if source.issuperset(chosen):
                    sums[place] = shares[place].sum(axis=others).ravel()
            found += (-1) ** (size + 1) * n_levels * np.cov(sums)
    return Spread(found, min(design.n[facet] for facet in facets))


def widening(
    weights: np.ndarray, squares: np.ndarray, df: np.ndarray, spread: Spread, level: float
) -> float:
    """The factor for the normal interval of a weighted sum of mean squares.

    What goes beyond the normal variance comes from few levels, and counts as Student's t does.
    """
    normal = float((weights**2 * 2 * squares**2 / df).sum())
    if not normal > 0:
        return 1.0
    more = float(weights @ spread.covariance @ weights) / normal - 1
    if more > 0:
        more *= float(t_quantile(level, spread.fewest - 1) / z_quantile(level)) ** 2
    else:
        more = max(more, -1.0) * (_TRUST if spread.fewest >= ENOUGH_LEVELS else 0.0)
    return (1 + more) ** 0.5
