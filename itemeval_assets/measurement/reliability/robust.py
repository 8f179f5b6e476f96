"""How far mean squares spread where effects are not normal, as those of right and wrong are not."""

from itertools import combinations
from math import prod

import numpy as np

from .design import Design

__all__ = ["covariance_of_squares", "widening"]

FEWEST_LEVELS = 5


def covariance_of_squares(parts: list[np.ndarray], design: Design) -> np.ndarray:
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
    found = np.zeros((len(shares), len(shares)))
    for size in range(1, len(facets) + 1):
        for chosen in combinations(facets, size):
            n_levels = prod(design.n[facet] for facet in chosen)
            sums = np.zeros((len(shares), n_levels))
            others = tuple(axis for axis, facet in enumerate(design.facets) if facet not in chosen)
            for place, source in enumerate(design.sources):
                if source.issuperset(chosen):
                    sums[place] = shares[place].sum(axis=others).ravel()
            found += (-1) ** (size + 1) * n_levels * np.cov(sums)
    return found


def widening(
    weights: np.ndarray, squares: np.ndarray, df: np.ndarray, covariance: np.ndarray
) -> float:
    """By how much normal theory is too narrow for a weighted sum of mean squares; 1 at least."""
    normal = float((weights**2 * 2 * squares**2 / df).sum())
    robust = float(weights @ covariance @ weights)
    return max(1.0, robust / normal) ** 0.5 if normal > 0 else 1.0
