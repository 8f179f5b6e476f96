"""Mean squares of ratings, and the coefficients that are made of them."""

from typing import Any, NamedTuple

import numpy as np

from ..records import MeasurementError
from .units import Units

__all__ = ["Squares", "coefficient", "squares_of", "squares_without", "variance_of"]


class Squares(NamedTuple):
    """Mean squares: between units, within units, between raters, and the rest."""

    units: Any
    within: Any
    raters: Any
    rest: Any
    n: int
    k: int


def squares_of(table: np.ndarray) -> Squares:
    n, k = table.shape
    centred = table - table.mean()
    units, raters = centred.mean(axis=1), centred.mean(axis=0)
    rest = centred - units[:, None] - raters[None, :]
    within = (centred - units[:, None]) ** 2
    return Squares(
        k * (units**2).sum() / (n - 1),
        within.sum() / (n * (k - 1)),
        n * (raters**2).sum() / (k - 1),
        (rest**2).sum() / ((n - 1) * (k - 1)),
        n,
        k,
    )


def squares_without(table: np.ndarray, shared: Units) -> Squares:
    """The mean squares without each cluster in turn, from sums that leave it out."""
    n, k = table.shape
    sizes = np.bincount(shared.cluster)
    m = n - sizes
    if len(sizes) == 2 or m.min() < 2:
        what = "units" if shared.alone else "clusters"
        raise MeasurementError(f"Two {what} allow no standard error of an ICC: give three or more.")
    centred = table - table.mean()
    units = centred.mean(axis=1)

    def rest(values: np.ndarray) -> np.ndarray:
        return values.sum() - np.bincount(shared.cluster, values)

    mean = rest(units) / m
    by_unit = k * (rest(units**2) - m * mean**2)
    within = rest(((centred - units[:, None]) ** 2).sum(axis=1))
    raters = np.stack([rest(column) for column in centred.T], axis=1) / m[:, None] - mean[:, None]
    by_rater = m * (raters**2).sum(axis=1)
    return Squares(
        by_unit / (m - 1),
        within / (m * (k - 1)),
        by_rater / (k - 1),
        (within - by_rater) / ((m - 1) * (k - 1)),
        m,
        k,
    )


def coefficient(squares: Squares, model: str, mean_of: int) -> Any:
    noise = squares.within if model == "1" else squares.rest
    return (squares.units - noise) / variance_of(squares, model, mean_of)


def variance_of(squares: Squares, model: str, mean_of: int) -> Any:
    """The variance of which a coefficient is a share: of one rating, or of the mean of all."""
    units, within, raters, rest, n, k = squares
    noise = within if model == "1" else rest
    of_units = units + (k - 1) * noise if mean_of == 1 else units
    if model != "2":
        return of_units
    more = (raters - rest) / n
    return of_units + (k * more if mean_of == 1 else more)
