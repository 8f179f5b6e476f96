"""The likelihood by the full grid and the covariance matrix of its holes, for few holes.

The covariance of a full grid has known eigenspaces, one per source. A hole is a cell with a
parameter of its own, which leaves its score no say (the missing plots of Bartlett 1937).
"""

from math import prod

import numpy as np

from ..grid import Grid
from ..squares import effects, sums_of_squares
from .likelihood import Point, inverted
from .patterns import Patterns

__all__ = ["OfHoles"]


class OfHoles:
    """By the eigenspaces of the full grid, and the covariance matrix of its holes."""

    def __init__(self, grid: Grid) -> None:
        self.design = design = grid.design
        size = prod(design.shape)
        empty = np.setdiff1d(np.arange(size), grid.places)
        self.holes = np.stack(np.unravel_index(empty, design.shape), axis=1)
        self.patterns = Patterns.of(self.holes, design)
        self.random = [
            place for place, source in enumerate(design.sources) if not design.is_fixed(source)
        ]
        self.expected = design.expected[np.ix_(self.random, self.random)]
        self.df = np.array([design.df(design.sources[place]) for place in self.random])
        self.projections = self.patterns.projections()[self.random]
        self.scores = grid.tensor()

    def at(self, components: np.ndarray) -> Point | None:
        """As `Likelihood.at`."""
        squares = self.expected @ components
        solved = self._solve(squares)
        if solved is None:
            return None
        inverse, log_det = solved
        parts, sums = self._filled(inverse, squares)
        value = -(self.df @ np.log(squares) + log_det + (sums / squares).sum()) / 2
        # u = P y, by source: the effect of the filled scores over its mean square.
        norms = sums / squares**2
        at_holes = np.stack([self._at_holes(part) for part in parts], axis=1) / squares**2
        trace = self.df / squares - self.projections @ self.patterns.sums(inverse) / squares**2
        of_holes = at_holes @ self.expected
        information = (self.expected.T * (norms / squares)) @ self.expected
        information -= of_holes.T @ inverse @ of_holes
        found = Point(
            float(value), self.expected.T @ norms, self.expected.T @ trace, information / 2
        )
        return found if found.is_finite else None

    def _solve(self, squares: np.ndarray) -> tuple[np.ndarray, float] | None:
        """The inverse of what the holes have in P, and the log of its determinant."""
        if squares.min() <= 0:
            return None
        if not len(self.holes):
            return np.zeros((0, 0)), 0.0
        return inverted(self.patterns.matrix((1 / squares) @ self.projections))

    def _filled(
        self, inverse: np.ndarray, squares: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """The random effects of the scores with each hole at its best guess, and their squares."""
        self.filled = self.scores
        if len(self.holes):
            parts = self._effects(self.scores)
            pulls = sum(
                self._at_holes(part) / square for part, square in zip(parts, squares, strict=True)
            )
            self.filled = self.scores.copy()
            self.filled[tuple(self.holes.T)] = -inverse @ pulls
        all_parts = effects(self.filled, self.design)
        sums = sums_of_squares(all_parts, self.design)[self.random]
        return [all_parts[place] for place in self.random], sums

    def _effects(self, scores: np.ndarray) -> list[np.ndarray]:
        found = effects(scores, self.design)
        return [found[place] for place in self.random]

    def _at_holes(self, part: np.ndarray) -> np.ndarray:
        return np.broadcast_to(part, self.design.shape)[tuple(self.holes.T)]

    def filled_effects(self, components: np.ndarray) -> list[np.ndarray]:
        """As `Likelihood.filled_effects`."""
        self._fill(components)
        return effects(self.filled, self.design)

    def _fill(self, components: np.ndarray) -> np.ndarray:
        """Fill the holes by these components, and return the inverse that it takes."""
        squares = self.expected @ components
        solved = self._solve(squares)
        assert solved is not None, "the components come from a maximum of the likelihood"
        self._filled(solved[0], squares)
        return solved[0]

    def fixed_means(self, components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Likelihood.fixed_means`."""
        inverse = self._fill(components)
        part = self.design.fixed_part
        others = tuple(
            axis for axis, facet in enumerate(self.design.facets) if facet not in part.facets
        )
        means = self.filled.mean(axis=others).ravel()
        cells = Patterns.of(np.stack(np.unravel_index(range(len(means)), part.shape), 1), part)
        covariance = np.zeros((len(means), len(means)))
        for place, component in zip(self.random, components, strict=True):
            source = self.design.sources[place]
            shared = cells.shared_of(source & part.fixed)
            levels = np.prod([self.design.n[facet] for facet in source - part.fixed])
            covariance += component / levels * cells.matrix(shared)
        if len(self.holes):
            axes = [self.design.facets.index(facet) for facet in part.facets]
            of_hole = np.ravel_multi_index(tuple(self.holes[:, axes].T), part.shape)
            pull = np.zeros((len(means), len(self.holes)))
            pull[of_hole, np.arange(len(self.holes))] = len(means) / self.filled.size
            covariance += pull @ inverse @ pull.T
        return means, covariance
