"""Intraclass correlations: how much of the variance of ratings is that of what is rated."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import checked
from ..intervals import checked_level
from ..numeric import as_numbers
from ..records import Estimate, Interval, MeasurementError
from ..rounding import is_constant
from .icc_limits import clustered_limits, jackknife, limits_of
from .icc_squares import Squares, coefficient, squares_of, squares_without, variance_of
from .units import units_of

__all__ = ["intraclass_correlation"]


@checked
def intraclass_correlation(
    ratings: Any,
    *,
    form: str = "2,1",
    level: float = 0.95,
    item: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
) -> Estimate:
    """The six coefficients of Shrout & Fleiss (1979, Psychological Bulletin 86, 420-428).

    `ratings` is units x raters, without gaps. `form` is "1", "2" or "3" (each unit has raters of
    its own; raters are a sample; raters are all there are), a comma, and "1" for one rating or
    "k" for the mean of all. Models 1 and 3 have the F intervals given there, model 2 a generalised
    one; all take effects for normal. The standard error is a jackknife over units. Units that are
    answers to the same items are left out by item, or by cluster: `item` and `cluster` have a value
    for each unit. Their intervals have the spread of F from that jackknife, not from its table.
    """
    checked_level(level)
    table = _checked(ratings)
    n, k = table.shape
    model, mean_of = _checked_form(form, k)
    squares = squares_of(table)
    _refuse_without_variance(table, squares)
    shared = units_of(n, item, cluster)
    without = squares_without(table, shared)
    least = 1e-12 * (squares.units + squares.within)
    if min(np.min(variance_of(part, model, mean_of)) for part in (squares, without)) <= least:
        raise MeasurementError(
            "Of all units, or without one of them, the estimated variance of ratings is not above"
            " 0: so few that vary allow no ICC."
        )
    value = float(coefficient(squares, model, mean_of))
    said: tuple[str, ...] = ()
    if squares.rest <= 1e-12 * squares.units:
        limits = Interval(value, value)
        said = ("Raters differ by a constant or not at all: without spread no interval.",)
    elif shared.alone:
        limits = limits_of(squares, model, mean_of, level)
    else:
        limits = clustered_limits(squares, without, model, mean_of, level)
    return Estimate(
        value=value,
        standard_error=jackknife(coefficient(without, model, mean_of)),
        low=min(limits.low, value),
        high=max(limits.high, value),
        level=level,
        n_events=table.size,
        n_items=shared.n_items,
        n_clusters=shared.n_clusters,
        method=f"ICC({model},{mean_of}); {'generalised' if model == '2' else 'F'} interval"
        f"{'' if shared.alone else ', clustered'}",
        warnings=(*said, *shared.few()),
    )


def _checked_form(form: str, k: int) -> tuple[str, int]:
    """The model, and of how many ratings the mean is."""
    model, comma, size = form.replace(" ", "").partition(",")
    if model not in ("1", "2", "3") or not comma or size not in ("1", "k", str(k)):
        raise MeasurementError(
            f'form is {form!r}: choose "1", "2" or "3", a comma, and "1" or "k" ({k} raters here).'
        )
    return model, 1 if size == "1" else k


def _refuse_without_variance(table: np.ndarray, squares: Squares) -> None:
    if is_constant(table):
        raise MeasurementError("All ratings are the same: there is no variance to divide.")
    if squares.units <= 1e-12 * squares.within:
        raise MeasurementError(
            "All units have the same mean rating: raters differ, and units do not, so that there is"
            " no variance of units to divide."
        )


def _checked(ratings: Any) -> np.ndarray:
    table = as_numbers(ratings)
    if table.ndim != 2 or min(table.shape) < 2:
        raise MeasurementError(
            "ratings is units x raters: numbers, of two units and raters or more."
        )
    gaps = int((~np.isfinite(table)).any(axis=1).sum())
    if gaps:
        raise MeasurementError(
            f"{gaps:,} units lack a rating, and an ICC needs all: leave them out, or use"
            " krippendorff_alpha."
        )
    return table
