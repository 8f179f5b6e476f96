"""A view: figures as a table, before anybody formats them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, NamedTuple

# What a value is: each renderer formats it by its kind. A `name_or_all` is empty in the row of
# sums; a `line` may be long. A `count` is of calls or cells, a `size` of many cells, a `share` a
# part and its whole, a `part` a fraction. A `scale` and an `interval` are two scores, or null; a
# `component` may be small, and a `p` is a probability. `saved` USD were not paid; `expected` and
# `paid` USD may be unknown.
Text = Literal["text", "name_or_all", "line", "state", "verdict", "left_out", "scale"]
Quantity = Literal["number", "count", "size", "share", "part", "tokens", "seconds"]
Figure = Literal["mean", "interval", "component", "p"]
Money = Literal["usd", "amount", "expected", "paid", "saved"]
Kind = Text | Quantity | Figure | Money


class Amount(NamedTuple):
    """USD, and the word that people read in its place, where there is one."""

    usd: float | None
    word: str = ""


Value = str | Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """`value` of a row: a field of it, where dots lead into records, or what a function makes.

    `terminal`, `page` and `card` head the column for who reads there; who has no heading does not
    see it. On a terminal it shows only where `sometimes` is true of a row, and, if `wide`, where
    there is room.
    """

    value: Value
    kind: Kind
    terminal: str | None = None
    page: str | None = None
    card: str | None = None
    sometimes: Value | None = None
    wide: bool = False
    colour: str = ""

    def of(self, row: Any) -> Any:
        return part_of(row, self.value)


@dataclass(frozen=True)
class View:
    """Rows are records or mappings; `total` is that of their sums, if it is shown."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    total: Any = None

    @property
    def with_total(self) -> Sequence[Any]:
        return self.rows if self.total is None else [*self.rows, self.total]


def part_of(row: Any, value: Value) -> Any:
    if callable(value):
        return value(row)
    return row[value] if isinstance(row, Mapping) else attrgetter(value)(row)
