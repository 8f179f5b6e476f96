"""Restricted maximum likelihood: components where cells are missing."""

from typing import NamedTuple

import numpy as np

from ...records import MeasurementError
from ..grid import Grid
from .likelihood import Likelihood, Point
from .of_cells import OfCells
from .of_holes import OfHoles

__all__ = ["MOST_CELLS", "MOST_HOLES", "Maximum", "likelihood_of", "maximum"]

# Beyond these the matrix of cells, or that of holes, takes minutes.
MOST_CELLS = 3_000
MOST_HOLES = 4_000
_STEPS = 500


class Maximum(NamedTuple):
    """The components where the likelihood is highest, none below 0, and their covariance."""

    components: np.ndarray
    covariance: np.ndarray


def likelihood_of(grid: Grid) -> Likelihood:
    """The faster way that the size of the data allows."""
    if grid.n_holes <= MOST_HOLES and grid.n_holes <= len(grid.score):
        return OfHoles(grid)
    if len(grid.score) <= MOST_CELLS:
        return OfCells(grid)
    raise MeasurementError(
        f"{len(grid.score):,} scored cells and {grid.n_holes:,} holes are too many for REML, which"
        f" takes up to {MOST_CELLS:,} cells, or any number with up to {MOST_HOLES:,} holes. Leave"
        " out the levels with most holes, or a facet."
    )


def maximum(likelihood: Likelihood, n_components: int, total: float) -> Maximum:
    """Climb to the maximum: Newton steps on the average information, cut at 0.

    Where such a step does not climb, a step of the minorise-maximise algorithm of Zhou, Hu, Zhou &
    Lange (2019, Journal of Computational and Graphical Statistics 28) does.
    """
    components = np.full(n_components, total / n_components)
    point = likelihood.at(components)
    assert point is not None, "equal components make a covariance"
    for _ in range(3):
        components, point = _minorised(likelihood, components, point) or (components, point)
    for _ in range(_STEPS):
        newer = _newton(likelihood, components, point) or _minorised(likelihood, components, point)
        if newer is None:
            raise np.linalg.LinAlgError("no covariance beside these components")
        moved = float(np.abs(newer[0] - components).max())
        components, gained = newer[0], newer[1].value - point.value
        point = newer[1]
        if moved <= 1e-9 * total and gained <= 1e-9:
            return Maximum(components, _covariance(point.information))
    raise MeasurementError(
        "REML did not come to rest: the cells that exist can hardly tell some sources apart. Leave"
        " out a facet."
    )


def _minorised(
    likelihood: Likelihood, components: np.ndarray, point: Point
) -> tuple[np.ndarray, Point] | None:
    """Each component times the root of gain over loss: never lower, never negative."""
    newer = components * np.sqrt(np.maximum(point.gain, 0) / np.maximum(point.loss, 1e-300))
    found = likelihood.at(newer)
    return None if found is None else (newer, found)


def _newton(
    likelihood: Likelihood, components: np.ndarray, point: Point
) -> tuple[np.ndarray, Point] | None:
    """A step on the components that are above 0 or want to be, halved until it climbs."""
    free = (components > 0) | (point.slope > 0)
    information = point.information[np.ix_(free, free)]
    step = np.zeros_like(components)
    step[free] = np.linalg.lstsq(information, point.slope[free], rcond=1e-12)[0]
    for _ in range(12):
        newer = np.maximum(components + step, 0.0)
        found = likelihood.at(newer)
        if found is not None and found.value >= point.value - 1e-11 * abs(point.value):
            return newer, found
        step /= 2
    return None


def _covariance(information: np.ndarray) -> np.ndarray:
    return np.linalg.pinv(information, hermitian=True)
