"""The figures of each source: by mean squares where the grid is full, by REML where it is not."""

from dataclasses import dataclass

import numpy as np

from ..records import MeasurementError
from .design import Design
from .grid import Grid, levels_of
from .likelihood.likelihood import Likelihood
from .likelihood.maximum import Maximum, likelihood_of, maximum
from .likelihood.patterns import Patterns
from .robust import Spread, spread_of_squares
from .squares import components_from, effects, limits_of, sums_of_squares

__all__ = ["Figures", "by_likelihood", "by_squares", "degrees"]


@dataclass(frozen=True)
class Figures:
    """By source: the mean square (0 where there is none), the estimate, and its limits."""

    squares: np.ndarray
    estimates: np.ndarray
    limits: list[tuple[float, float]]

    @classmethod
    def zero(cls, design: Design) -> "Figures":
        """Of scores that are all the same."""
        n = len(design.sources)
        return cls(np.zeros(n), np.zeros(n), [(0.0, 0.0)] * n)


def degrees(grid: Grid) -> np.ndarray:
    """The degrees of freedom that the scored cells leave to each source."""
    design = grid.design
    found: dict[frozenset[str], int] = {}
    for source, n_levels in zip(design.sources, levels_of(grid), strict=True):
        below = sum(df for other, df in found.items() if other < source)
        found[source] = n_levels - 1 - below
        if found[source] < 1:
            raise MeasurementError(
                f"The cells that have scores leave {design.name(source)!r} no degree of freedom:"
                " it cannot be told apart from its parts. Leave out a facet, or fill more cells."
            )
    return np.array(list(found.values()))


def by_squares(grid: Grid, level: float) -> Figures:
    """Of a full grid."""
    design = grid.design
    parts = effects(grid.tensor(), design)
    df = np.array([design.df(source) for source in design.sources])
    squares = sums_of_squares(parts, design) / df
    estimates, weights = components_from(squares, design)
    spread = spread_of_squares(parts, design)
    limits = [limits_of(row, squares, df, level, own, spread) for own, row in enumerate(weights)]
    return Figures(squares, estimates, limits)


def by_likelihood(grid: Grid, level: float) -> Figures:
    """Of any grid. Scores are brought to variance 1, on which the climb does not depend."""
    design = grid.design
    unit, centre = float(grid.score.std()), float(grid.score.mean())
    scaled = Grid(design, grid.levels, (grid.score - centre) / unit, grid.n_missing)
    is_fixed = np.array([design.is_fixed(source) for source in design.sources])
    likelihood = likelihood_of(scaled)
    found = maximum(likelihood, int((~is_fixed).sum()), 1.0)
    estimates = np.zeros(len(is_fixed))
    estimates[~is_fixed] = found.components
    if is_fixed.any():
        estimates[is_fixed] = _of_fixed(likelihood, found.components, design.fixed_part)
    parts = likelihood.filled_effects(found.components)
    spread = spread_of_squares(parts, design) if parts else None
    limits = _limits(scaled, found, ~is_fixed, level, spread and spread.of(~is_fixed))
    return Figures(
        np.zeros(len(is_fixed)),
        estimates * unit**2,
        [(low * unit**2, high * unit**2) for low, high in limits],
    )


def _limits(
    grid: Grid, found: Maximum, random: np.ndarray, level: float, spread: Spread | None
) -> list[tuple[float, float]]:
    """The intervals of a full grid, on the mean squares that these components let expect.

    A level of a source counts as many cells as it has on average. A mean square has the degrees
    of freedom that its error tells, 2 (value / error)^2 (Satterthwaite 1946, Biometrics 2), and no
    more than its source has.
    """
    design = grid.design
    cells = np.array([len(grid.score) / n for n in levels_of(grid)])
    holds = np.array([[one <= other for other in design.sources] for one in design.sources])
    expected = (holds * cells)[np.ix_(random, random)]
    squares = expected @ found.components
    errors = np.diag(expected @ found.covariance @ expected.T)
    df = np.clip(2 * squares**2 / errors, 1.0, degrees(grid)[random])
    weights = np.linalg.inv(expected)
    limits = np.zeros((len(design.sources), 2))
    limits[random] = [
        limits_of(row, squares, df, level, own, spread) for own, row in enumerate(weights)
    ]
    return [(float(low), float(high)) for low, high in limits]


def _of_fixed(likelihood: Likelihood, components: np.ndarray, part: Design) -> np.ndarray:
    """The spread of the fixed levels: the squares of their estimated effects, less their error."""
    means, covariance = likelihood.fixed_means(components)
    if len(means) < np.prod(part.shape):
        raise MeasurementError(
            f"Some combinations of the fixed facets {', '.join(part.facets)} have no score: fill"
            " these cells, leave one of the facets out, or take one for random."
        )
    cells = Patterns.of(np.stack(np.unravel_index(range(len(means)), part.shape), 1), part)
    sums = sums_of_squares(effects(means.reshape(part.shape), part), part)
    errors = cells.projections() @ cells.sums(covariance)
    df = np.array([part.df(source) for source in part.sources])
    return np.linalg.solve(part.expected, (sums - errors) / df)
