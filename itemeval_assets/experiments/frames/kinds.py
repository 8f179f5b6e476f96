"""Which Arrow type holds every value of a column, seen value by value and shard by shard.

One rule for values and for columns of different shards: a column has the type that holds each of
its values exactly, and is text where no type does. So what a column becomes depends on its
values, not on how they were cut into shards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

# Scalars of these two types have no type in common: the mark of values that have none.
CLASH = frozenset({pa.string(), pa.binary()})
# Integers beyond these are not each a float of their own.
_FLOATS_HOLD = 2**53


@dataclass(frozen=True)
class Kind:
    """What a column holds, as far as it has been seen. `one | other` is the kind of both.

    `types` are those of its scalars. `low` and `high` are the range of its integers, or of its
    instants and durations in nanoseconds; `has_ns` says whether some of these need nanoseconds.
    `items` is the kind of what its lists hold, `fields` of what its dicts hold. The type of a
    column without a value counts only where no column has one.
    """

    types: frozenset[pa.DataType] = frozenset()
    has_values: bool = False
    low: int = 0
    high: int = 0
    has_ns: bool = False
    items: "Kind | None" = None
    fields: "Mapping[str, Kind] | None" = None

    def __or__(self, other: "Kind") -> "Kind":
        if self.has_values != other.has_values:
            return self if self.has_values else other
        types = self.types | other.types
        fields = other.fields if self.fields is None else self.fields
        if self.fields is not None and other.fields is not None:
            if self.fields.keys() == other.fields.keys():
                fields = {name: kind | other.fields[name] for name, kind in self.fields.items()}
            else:
                types |= CLASH  # dicts of different keys have no type
        return Kind(
            types,
            self.has_values,
            min(self.low, other.low),
            max(self.high, other.high),
            self.has_ns or other.has_ns,
            self.items | other.items if self.items and other.items else self.items or other.items,
            fields,
        )

    def arrow(self) -> pa.DataType:
        """The type that holds all values exactly; text where there is none."""
        common = self._common()
        return pa.string() if common is None else common

    def arrow_of_level(self, has_nulls: bool) -> pa.DataType:
        """The type of an index level: pandas hashes its values, and reads integers beside null as
        floats."""
        kind = self.arrow()
        is_rounded = has_nulls and pa.types.is_integer(kind) and not self.floats_hold()
        return pa.string() if is_rounded or pa.types.is_nested(kind) else kind

    def _common(self) -> pa.DataType | None:
        if self.items is None and self.fields is None:
            return _scalar_type(self)
        if self.types or (self.items is not None and self.fields is not None):
            return None
        if self.items is not None:
            inner = self.items._common()
            return None if inner is None else pa.list_(inner)
        fields = [(name, kind._common()) for name, kind in (self.fields or {}).items()]
        # Parquet has no dicts without keys.
        return pa.struct(fields) if fields and None not in dict(fields).values() else None

    def floats_hold(self) -> bool:
        """Whether each of its integers is a float of its own."""
        return max(-self.low, self.high) <= _FLOATS_HOLD


def _scalar_type(kind: Kind) -> pa.DataType | None:
    """The type that holds all scalars of a kind, or None."""
    types = kind.types
    if not types:
        return pa.null()
    if all(map(_is_number, types)):
        return _number_type(kind)
    if all(map(pa.types.is_timestamp, types)) and len({t.tz for t in types}) == 1:
        return _tick_type(kind, lambda unit: pa.timestamp(unit, next(iter(types)).tz))
    if all(map(pa.types.is_duration, types)):
        return _tick_type(kind, pa.duration)
    if all(map(pa.types.is_decimal, types)):
        return _decimal_type(types)
    return next(iter(types)) if len(types) == 1 else None


def _number_type(kind: Kind) -> pa.DataType | None:
    integers = {t for t in kind.types if pa.types.is_integer(t)}
    floats = kind.types - integers
    if not floats:
        return _integer_type(integers, kind)
    if integers:
        return pa.float64() if kind.floats_hold() else None
    return max(floats, key=lambda t: t.bit_width)


def _integer_type(types: set[pa.DataType], kind: Kind) -> pa.DataType | None:
    is_mixed = len(set(map(pa.types.is_signed_integer, types))) == 2
    widest = pa.int64() if is_mixed else max(types, key=lambda t: t.bit_width)
    for choice in (widest, pa.int64(), pa.uint64()):
        is_signed = pa.types.is_signed_integer(choice)
        above = 2 ** (choice.bit_width - is_signed)
        if (-above if is_signed else 0) <= kind.low and kind.high < above:
            return choice
    return None


def _tick_type(kind: Kind, of_unit: Callable[[str], pa.DataType]) -> pa.DataType | None:
    """Instants or durations: nanoseconds end in 2262, microseconds after 292,000 years."""
    if len(kind.types) == 1 and not kind.has_ns:
        return next(iter(kind.types))
    unit, ns = ("ns", 1) if kind.has_ns else ("us", 1000)
    return of_unit(unit) if max(-kind.low, kind.high) < ns * 2**63 else None


def _decimal_type(types: frozenset[pa.DataType]) -> pa.DataType | None:
    scale = max(t.scale for t in types)
    precision = scale + max(t.precision - t.scale for t in types)
    if precision > 76:
        return None
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
