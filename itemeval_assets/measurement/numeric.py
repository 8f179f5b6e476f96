"""Numbers as arrays: of a column, or of a table that is given as lists."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .columns import Frame, column_of
from .records import MeasurementError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# Squares of squares of larger numbers are more than a double holds.
LARGEST = 1e50
# A double holds each whole number up to here.
LARGEST_COUNT = 2**53
# Of smaller scores differences are taken for errors of adding up.
SMALLEST = 1e-9


def numbers(frame: Frame, name: str) -> np.ndarray:
    """A column of numbers as floats, NaN where it is empty. Text and infinity are refused."""
    column = column_of(frame, name)
    try:
        if hasattr(frame, "column_names"):
            values = column.cast("float64").to_numpy() if _is_numeric(column) else None
        elif column.dtype.kind in "Mmc" or (column.dtype.kind in "OUST" and _holds_text(column)):
            values = None
        else:
            values = column.to_numpy(dtype=float, na_value=np.nan)
    except OverflowError as error:
        raise MeasurementError(
            f"Column {name!r} holds whole numbers that are larger than a double holds: leave them"
            " out, or bring them to a smaller unit."
        ) from error
    except (TypeError, ValueError):
        values = None
    if values is None:
        raise MeasurementError(f"Column {name!r} does not hold numbers: convert it first.")
    if np.isinf(values).any():
        count = int(np.isinf(values).sum())
        raise MeasurementError(f"Column {name!r} holds {count} infinite values: remove them.")
    require_measurable(values, f"Column {name!r} holds numbers")
    return values


def scores_of(frame: Frame, name: str) -> np.ndarray:
    """As `numbers`, of scores: those that are all next to 0 are refused as well."""
    values = numbers(frame, name)
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if 0 < largest < SMALLEST:
        raise MeasurementError(
            f"Column {name!r} holds numbers of {largest:.3g} at most, which are next to 0: bring"
            " them to a larger unit."
        )
    return values


def require_measurable(values: np.ndarray, what: str) -> None:
    """Raise MeasurementError for numbers of which no variance can be taken."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if np.isfinite(largest) and largest > LARGEST:
        raise MeasurementError(
            f"{what} of {largest:.3g}: so large ones cannot be averaged. Look at them, and leave"
            " them out or bring them to a smaller unit."
        )


def _is_numeric(column: "pa.ChunkedArray") -> bool:
    import pyarrow as pa

    is_a = pa.types
    checks = (is_a.is_integer, is_a.is_floating, is_a.is_boolean, is_a.is_decimal, is_a.is_null)
    return any(check(column.type) for check in checks)


def _holds_text(column: "pd.Series") -> bool:
    return any(isinstance(value, str | bytes) for value in column)


def is_text(frame: Frame, name: str) -> bool:
    """Whether a column holds texts."""
    column = column_of(frame, name)
    if hasattr(frame, "column_names"):
        import pyarrow as pa

        return pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.dtype.kind in "OUST" and _holds_text(column)


def as_numbers(values: Any) -> np.ndarray:
    """A table given as lists or as an array; without entries where it does not hold numbers."""
    try:
        if np.asarray(values).dtype.kind == "c":
            return np.zeros((0, 0))
        found = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError, OverflowError):
        return np.zeros((0, 0))
    require_measurable(found, "There are numbers")
    return found
