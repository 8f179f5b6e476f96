"""The likelihood by the covariance matrix of the scored cells, for few cells."""

import numpy as np

from ...columns import compact
from ..grid import Grid
from .likelihood import Point, inverted
from .patterns import Patterns

__all__ = ["OfCells"]


class OfCells:
    """By the covariance matrix of the scored cells."""

    def __init__(self, grid: Grid) -> None:
        design = grid.design
        self.patterns = Patterns.of(grid.levels, design)
        chosen = [
            place for place, source in enumerate(design.sources) if not design.is_fixed(source)
        ]
        self.shared = self.patterns.shared()[chosen]
        self.score = grid.score
        self.groups = [_codes(grid, design.sources[place]) for place in chosen]
        self.mean_of = _codes(grid, design.fixed_part.fixed)
        self.means = np.eye(int(self.mean_of.max()) + 1)[self.mean_of]

    def at(self, components: np.ndarray) -> Point | None:
        """As `Likelihood.at`."""
        solved = self._solve(components)
        if solved is None:
            return None
        inverse, log_det, x, inner = solved
        log_inner = np.linalg.slogdet(inner)[1]
        p = inverse - x @ np.linalg.solve(inner, x.T)
        u = p @ self.score
        q = np.stack([np.bincount(group, u)[group] for group in self.groups], axis=1)
        value = -(log_det + log_inner + self.score @ u) / 2
        loss = self.shared @ self.patterns.sums(p)
        found = Point(float(value), q.T @ u, loss, q.T @ p @ q / 2)
        return found if found.is_finite else None

    def _solve(
        self, components: np.ndarray
    ) -> tuple[np.ndarray, float, np.ndarray, np.ndarray] | None:
        found = inverted(self.patterns.matrix(components @ self.shared))
        if found is None:
            return None
        inverse, log_det = found
        x = inverse @ self.means
        return inverse, log_det, x, self.means.T @ x

    def filled_effects(self, components: np.ndarray) -> list[np.ndarray]:
        """As `Likelihood.filled_effects`: most of the grid may be holes."""
        return []

    def fixed_means(self, components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Likelihood.fixed_means`."""
        solved = self._solve(components)
        assert solved is not None, "the components come from a maximum of the likelihood"
        _, _, x, inner = solved
        covariance = np.linalg.inv(inner)
        return covariance @ (x.T @ self.score), covariance


def _codes(grid: Grid, source: frozenset[str]) -> np.ndarray:
    """The level of each row on a source, as a number."""
    columns = [
        grid.levels[:, place] for place, facet in enumerate(grid.design.facets) if facet in source
    ]
    return compact(*columns)[1] if columns else np.zeros(len(grid.score), dtype=np.int64)
