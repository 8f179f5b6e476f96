"""The kind of values, and of columns of Arrow."""

from collections.abc import Callable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.lib import tzinfo_to_string

from itemeval_assets.experiments.spec.values import is_text

from .kinds import CLASH, Kind

_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY_0 = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_TYPES = {bool: pa.bool_(), float: pa.float64(), bytes: pa.binary(), date: pa.date32()}


def kind_of(values: Sequence[Any]) -> Kind:
    """The kind of plain values: None, bool, int, float, str, bytes, lists, dicts with texts for
    keys, instants, days, times, durations and Decimals."""
    groups: dict[type, list[Any]] = {}
    types = set(map(type, values)) - {type(None)}
    if len(types) == 1:
        groups[types.pop()] = [value for value in values if value is not None]
    else:
        for value in values:
            if value is not None:
                groups.setdefault(type(value), []).append(value)
    return reduce(or_, (_kind_of_type(kind, found) for kind, found in groups.items()), Kind())


def kind_of_column(column: pa.ChunkedArray | pa.Array) -> Kind:
    """The kind of a column of Arrow."""
    kind, has_values = plain_type(column.type), column.null_count < len(column)
    if pa.types.is_list(kind):
        return Kind(has_values=has_values, items=kind_of_column(_items(column)))
    if pa.types.is_struct(kind):
        fields = {f.name: _kind_of_field(_field(column, f.name)) for f in kind}
        return Kind(has_values=has_values, fields=fields)
    types = frozenset({kind}) - {pa.null()}
    if pa.types.is_integer(kind) and has_values:
        return Kind(types, True, *_range(column))
    if (pa.types.is_timestamp(kind) or pa.types.is_duration(kind)) and has_values:
        numbers = column.cast(pa.int64())
        low, high = (_NS[kind.unit] * bound for bound in _range(numbers))
        has_ns = kind.unit == "ns" and bool((numbers.drop_null().to_numpy() % 1000).any())
        return Kind(types, True, low, high, has_ns)
    is_known = _KNOWN.get(kind)
    return _NONE if is_known and has_values and not is_known(column) else Kind(types, has_values)


def _kind_of_field(column: pa.ChunkedArray | pa.Array) -> Kind:
    """The kind of a field of dicts: instants are those of Python there."""
    kind = kind_of_column(column)
    is_far = kind.low < _nanoseconds(datetime.min) or kind.high > _nanoseconds(datetime.max)
    return _NONE if is_far and any(map(pa.types.is_timestamp, kind.types)) else kind


def _are_days_of_python(days: pa.ChunkedArray | pa.Array) -> bool:
    a_day, integers = (1, pa.int32()) if pa.types.is_date32(days.type) else (_DAY_MS, pa.int64())
    low, high = _range(days.cast(integers))
    first, last = (day.toordinal() - _DAY_0 for day in (date.min, date.max))
    return first * a_day <= low and high < (last + 1) * a_day


def _are_times_of_python(times: pa.ChunkedArray | pa.Array) -> bool:
    return not (times.cast(pa.int64()).drop_null().to_numpy() % 1000).any()


def _items(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return pc.list_flatten(column)  # type: ignore[attr-defined]


def _field(column: pa.ChunkedArray | pa.Array, name: str) -> pa.ChunkedArray | pa.Array:
    return pc.struct_field(column, name)  # type: ignore[attr-defined]


def _range(numbers: pa.ChunkedArray | pa.Array) -> tuple[int, int]:
    found = pc.min_max(numbers)  # type: ignore[attr-defined]
    return found["min"].as_py(), found["max"].as_py()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Without what differs between columns of the same values: dictionaries and offset widths."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(kind.value_type)
    return kind


def _kind_of_type(kind: type, values: list[Any]) -> Kind:
    """The kind of values of one type."""
    if kind in _TYPES:
        return Kind(frozenset({_TYPES[kind]}), True)
    if kind in _RULES:
        return _RULES[kind](values)
    if issubclass(kind, datetime):
        return _kind_of_ticks(values, set(map(_instant, values)))
    return _kind_of_ticks(values, {pa.duration("us")}) if issubclass(kind, timedelta) else _NONE


def _kind_of_integers(values: list[int]) -> Kind:
    return Kind(frozenset({pa.int64()}), True, min(values), max(values))


def _kind_of_texts(values: list[str]) -> Kind:
    return Kind(frozenset({pa.string()}), True) if is_text("".join(values)) else _NONE


def _kind_of_times(values: list[time]) -> Kind:
    in_zone = any(value.tzinfo for value in values)
    return _NONE if in_zone else Kind(frozenset({pa.time64("us")}), True)


def _kind_of_decimals(values: list[Decimal]) -> Kind:
    try:
        return Kind(frozenset({pa.array(values).type}), True)
    except (pa.ArrowInvalid, TypeError):  # too many digits, infinite, or no number
        return _NONE


def _kind_of_lists(values: list[list[Any]]) -> Kind:
    return Kind(has_values=True, items=kind_of([item for value in values for item in value]))


def _kind_of_dicts(values: list[dict[str, Any]]) -> Kind:
    names = values[0].keys()
    if any(value.keys() != names for value in values) or not is_text("".join(names)):
        return _NONE
    fields = {name: kind_of([value[name] for value in values]) for name in names}
    return Kind(has_values=True, fields=fields)


def _kind_of_ticks(values: list[Any], types: set[pa.DataType | None]) -> Kind:
    """The kind of instants or durations, in a unit that holds them."""
    kind = types.pop()
    if kind is None or types or not all(map(_is_of_python, values)):
        return _NONE
    ticks = [_nanoseconds(value) for value in values]
    has_ns = any(tick % 1000 for tick in ticks)
    if has_ns:
        kind = pa.timestamp("ns", kind.tz) if pa.types.is_timestamp(kind) else pa.duration("ns")
    return Kind(frozenset({kind}), True, min(ticks), max(ticks), has_ns)


def _is_of_python(value: datetime | timedelta) -> bool:
    """Whether Python has it: an instant or a duration of pandas may be further away."""
    if isinstance(value, datetime):
        return MINYEAR <= value.year <= MAXYEAR
    return timedelta.min.days <= value.days <= timedelta.max.days


def _nanoseconds(value: datetime | timedelta) -> int:
    """A duration in nanoseconds, or the time since 1970."""
    if isinstance(value, datetime):
        value = value - datetime(1970, 1, 1, tzinfo=value.tzinfo and UTC)
    microseconds = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
    return 1000 * microseconds + getattr(value, "nanoseconds", 0)


def _instant(value: datetime) -> pa.DataType | None:
    """The type of an instant in its zone; None where Arrow has not its zone."""
    try:
        zone = None if value.tzinfo is None else tzinfo_to_string(value.tzinfo)
    except ValueError:
        return None
    return pa.timestamp("us", zone)


_NONE = Kind(CLASH, True)
# Days and times that pandas reads as those of Python: whether Python has them.
_KNOWN: dict[pa.DataType, Callable[[pa.ChunkedArray | pa.Array], bool]] = {
    pa.date32(): _are_days_of_python,
    pa.date64(): _are_days_of_python,
    pa.time64("ns"): _are_times_of_python,
}
_RULES: dict[type, Callable[[list[Any]], Kind]] = {
    int: _kind_of_integers,
    str: _kind_of_texts,
    time: _kind_of_times,
    Decimal: _kind_of_decimals,
    list: _kind_of_lists,
    dict: _kind_of_dicts,
}
