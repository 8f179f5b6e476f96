"""Balanced designs: mean squares, components from what they are expected to be, and intervals."""

import numpy as np

from ..intervals import f_quantile
from .design import Design
from .robust import Spread, widening

__all__ = ["components_from", "effects", "limits_of", "sums_of_squares"]


def effects(scores: np.ndarray, design: Design) -> list[np.ndarray]:
    """The effect of each source on a full grid of scores, with length 1 over other axes."""
    means = _Means(scores - scores.mean(), design.facets)
    found = []
    for source in design.sources:
        effect = means.over(source)
        for facet in design.own(source):
            axis = design.facets.index(facet)
            effect = effect - effect.mean(axis=axis, keepdims=True)
        found.append(effect)
    return found


def sums_of_squares(parts: list[np.ndarray], design: Design) -> np.ndarray:
    """The sum over the grid of the squared effects of each source."""
    pairs = zip(design.sources, parts, strict=True)
    return np.array([design.rest(source) * float((part**2).sum()) for source, part in pairs])


class _Means:
    """The means of an array over axes, each made from a smaller one that is there already."""

    def __init__(self, scores: np.ndarray, facets: tuple[str, ...]) -> None:
        self.facets = facets
        self.known = {frozenset(facets): scores}

    def over(self, kept: frozenset[str]) -> np.ndarray:
        """The mean over all axes but those kept, which stay in place with length 1."""
        if kept not in self.known:
            absent = next(facet for facet in reversed(self.facets) if facet not in kept)
            larger = self.over(kept | {absent})
            self.known[kept] = larger.mean(axis=self.facets.index(absent), keepdims=True)
        return self.known[kept]


def components_from(squares: np.ndarray, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """The components, negative ones as they come, and their weights on the mean squares.

    E(MS of a source) is the sum over the sources that hold it of their components, each times the
    number of cells of one of its levels (Brennan 2001, Generalizability Theory, chapters 3 and 5).
    """
    weights = np.linalg.inv(design.expected)
    return weights @ squares, weights


def limits_of(
    weights: np.ndarray,
    squares: np.ndarray,
    df: np.ndarray,
    level: float,
    own: int,
    spread: Spread | None = None,
) -> tuple[float, float]:
    """The modified large-sample interval of a weighted sum of mean squares, cut at 0.

    `own` is the mean square of the source itself. Where it is below what the others let expect, so
    that the sum is negative, it is taken for as much: else it would say, the less degrees it has,
    that the component is known to be 0.

    Ting, Burdick, Graybill, Jeyaratnam & Lu (1990), Journal of Statistical Computation and
    Simulation 35, 135-143; Brennan 2001, section 6.2.4. It assumes normal effects; a
    `spread` of the mean squares that differs from normal makes it wider, or a bit narrower.
    """
    missing = min(0.0, float(weights @ squares)) / weights[own]
    squares = squares - missing * (np.arange(len(squares)) == own)
    used = np.abs(weights) > 1e-12 * np.abs(weights).max()
    terms, df = (weights * squares)[used], df[used]
    factor = 1.0
    if spread is not None:
        factor = widening(weights[used], squares[used], df, spread.of(used), level)
    value, tail = float(terms.sum()), (1 - level) / 2
    low = value - factor * np.sqrt(max(0.0, _squared_error(terms, df, tail)))
    high = value + factor * np.sqrt(max(0.0, _squared_error(-terms, df, tail)))
    return max(0.0, float(low)), max(0.0, float(high))


def _squared_error(terms: np.ndarray, df: np.ndarray, tail: float) -> float:
    """The squared distance to the lower limit; with the signs turned, to the upper one."""
    plus, minus = terms > 0, terms < 0
    up = 1 - 1 / f_quantile(tail, df, np.inf)
    down = 1 / f_quantile(1 - tail, df, np.inf) - 1
    own = np.where(plus, up, down)
    found = float(((own * terms) ** 2).sum())
    for q in np.flatnonzero(plus):
        for r in np.flatnonzero(minus):
            f = float(f_quantile(tail, df[q], df[r]))
            cross = ((f - 1) ** 2 - (up[q] * f) ** 2 - down[r] ** 2) / f
            found += cross * terms[q] * -terms[r]
    places = np.flatnonzero(plus)
    for index, q in enumerate(places):
        for s in places[index + 1 :]:
            both = df[q] + df[s]
            joint = (1 - 1 / f_quantile(tail, both, np.inf)) ** 2 * both**2 / (df[q] * df[s])
            cross = joint - up[q] ** 2 * df[q] / df[s] - up[s] ** 2 * df[s] / df[q]
            found += cross / (len(places) - 1) * terms[q] * terms[s]
    return found
