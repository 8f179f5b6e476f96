"""Columns of plain values, and of Arrow, as the type that their kind has."""

import json
from collections.abc import Sequence
from datetime import date, time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .kinds_of_values import plain_type

_STORABLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_duration,
)
# The units of days.
_DAYS: dict[pa.DataType, Any] = {pa.date32(): "D", pa.date64(): "ms"}


def build(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Plain values as a column of the type of their kind, or of a kind that theirs is part of.

    Text stays as it is; any other value becomes its JSON text in a column of text.
    """
    if pa.types.is_string(kind):
        return pa.array([_text(value) for value in values], kind)
    if pa.types.is_float64(kind):
        return pa.array([None if value is None else float(value) for value in values], kind)
    return pa.array(values, kind)


def cast(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """A column as the type of a kind that its own is part of: it holds every value."""
    if column.type.equals(kind):
        return column
    if pa.types.is_string(kind) and plain_type(column.type) != pa.string():
        return pa.array([_text(value) for value in _values(column)], kind)
    try:
        return column.cast(kind, safe=False)
    except pa.ArrowNotImplementedError:  # nulls of a type that has nothing to do with the kind
        return build(column.to_pylist(), kind)


def is_storable(kind: pa.DataType) -> bool:
    """Whether Parquet holds columns of this type."""
    if isinstance(kind, pa.BaseExtensionType):
        return is_storable(kind.storage_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return is_storable(kind.value_type)
    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(is_storable(field.type) for field in kind)
    return any(is_kind(kind) for is_kind in _STORABLE)


def _values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """The values of a column for its text."""
    if isinstance(column.type, pa.BaseExtensionType):  # whose values pandas knows
        return [None if value is pd.NaT else value for value in column.to_pandas()]
    if column.type == pa.time64("ns"):  # Python has no nanoseconds
        texts = column.cast(pa.string()).to_pylist()
        return [text and text.removesuffix("000").removesuffix(".000000") for text in texts]
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> Any:
    """A cell of Arrow; the text of an instant, a day or a duration that Python does not have."""
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        kind = cell.type
    if pa.types.is_struct(kind):
        return {field.name: _value(cell[field.name]) for field in kind}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_value(item) for item in cell.values]
    if pa.types.is_duration(kind):
        return str(pd.Timedelta(np.timedelta64(cell.value, kind.unit)))
    if pa.types.is_date(kind):
        return str(np.datetime64(cell.value, _DAYS[kind]).astype("M8[D]"))
    instant = pd.Timestamp(np.datetime64(cell.value, kind.unit)).isoformat()
    return f"{instant}+00:00" if kind.tz else instant


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, date | time):
        text = value.isoformat()
    elif isinstance(value, bool | int | float | list | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    # A lone surrogate is no Unicode text: it is shown as its escape.
    return text.encode("utf-8", "backslashreplace").decode()
