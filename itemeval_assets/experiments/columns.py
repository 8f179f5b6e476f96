"""Columns of any values as Arrow: which type holds them all, and the values as that type.

One rule for values and for columns of different shards: integers beside null stay integers,
integers beside floats are floats, and whatever else has no common type is text. So what a
column becomes depends on its values, not on how they were cut into shards.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, time
from functools import reduce
from typing import Any

import pyarrow as pa

__all__ = ["build", "cast", "infer", "is_storable", "unify"]

_SMALL = range(-(2**63), 2**63)
_STORABLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_decimal128,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_duration,
)


def infer(values: Sequence[Any]) -> pa.DataType:
    """The Arrow type of values in JSON form: None, bool, int, float, str, list, dict.

    Lists and dicts have a type of their own only where Arrow gives each of them back unchanged.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.null()
    if kinds == {bool}:
        return pa.bool_()
    if kinds <= {int, float}:
        if not all(value in _SMALL for value in values if type(value) is int):
            return pa.string()
        return pa.int64() if kinds == {int} else pa.float64()
    if kinds in ({list}, {dict}):
        return _nested_type(values)
    return pa.string()


def unify(types: Iterable[pa.DataType]) -> pa.DataType:
    """The type that holds columns of all these types. Text where they have nothing in common."""
    return reduce(_wider_or_text, types, pa.null())


def build(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values in JSON form as a column of a type that `infer` or `unify` gave for them.

    Text stays as it is; any other value becomes its JSON text in a column of text.
    """
    if pa.types.is_string(kind):
        return pa.array([_text(value) for value in values], kind)
    if pa.types.is_float64(kind):
        return pa.array([None if value is None else float(value) for value in values], kind)
    return pa.array(values, kind)


def cast(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """A column as a type that `unify` gave for its own type and others."""
    if column.type.equals(kind):
        return column
    if _is_text(kind) and not _is_text(column.type):
        return pa.array([_text(value) for value in column.to_pylist()], kind)
    return column.cast(kind, safe=False)


def is_storable(kind: pa.DataType) -> bool:
    """Whether Parquet holds columns of this type."""
    if isinstance(kind, pa.BaseExtensionType):
        return is_storable(kind.storage_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return is_storable(kind.value_type)
    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(is_storable(field.type) for field in kind)
    return any(is_kind(kind) for is_kind in _STORABLE)


def _wider_or_text(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    wider = _wider(_plain(one), _plain(other))
    return pa.string() if wider is None else wider


def _plain(kind: pa.DataType) -> pa.DataType:
    """Without what differs between columns of the same values: dictionaries and offset widths."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The common type of two, or None where there is none."""
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if _is_number(one) and _is_number(other):
        return _wider_number(one, other)
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other) and one.tz == other.tz:
        # Microseconds hold every date there is; nanoseconds end in 2262.
        return pa.timestamp("us", one.tz)
    return _wider_nested(one, other)


def _wider_nested(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if pa.types.is_list(one) and pa.types.is_list(other):
        inner = _wider(one.value_type, other.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return _wider_struct(one, other)
    return None


def _wider_struct(one: pa.StructType, other: pa.StructType) -> pa.DataType | None:
    if [field.name for field in one] != [field.name for field in other]:
        return None
    pairs = [(a.name, _wider(a.type, b.type)) for a, b in zip(one, other, strict=True)]
    if any(kind is None for _, kind in pairs):
        return None
    return pa.struct(pairs)


def _wider_number(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return max(one, other, key=lambda kind: kind.bit_width)
    if pa.types.is_floating(one) or pa.types.is_floating(other):
        return pa.float64()
    if pa.types.is_signed_integer(one) == pa.types.is_signed_integer(other):
        return max(one, other, key=lambda kind: kind.bit_width)
    unsigned = one if pa.types.is_unsigned_integer(one) else other
    return pa.float64() if unsigned.bit_width == 64 else pa.int64()


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(_plain(kind))


def _nested_type(values: Sequence[Any]) -> pa.DataType:
    try:
        array = pa.array(values)
        same = _text(array.to_pylist()) == _text(list(values))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.string()
    return array.type if same and is_storable(array.type) else pa.string()


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
