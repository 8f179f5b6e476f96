"""A view: figures as a table, before anybody formats them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any, Literal, NamedTuple

# What a value is: each renderer formats it by its kind. A `name_or_all` is empty in the row of
# sums; a `line` may be long. A `count` is of calls or cells, a `size` of many cells, a `share` a
# part and its whole, a `part` a fraction. A `scale` and an `interval` are two scores, or null; a
# `difference` is one of scores, or words in its place, a `span` two of them; a `component` may be
# small, and a `p` is a probability. `logs` are paths or URIs. `saved` USD were not paid; `expected`
# and `paid` USD may be unknown.
Text = Literal["text", "name_or_all", "line", "state", "verdict", "left_out", "scale", "logs"]
Quantity = Literal["number", "count", "size", "share", "part", "tokens", "seconds"]
Figure = Literal["mean", "interval", "difference", "span", "component", "p"]
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
    see it. On a terminal and on the page of an asset it shows only where `sometimes` is true of a
    row, and, if `wide`, where there is room: on the page of an asset never. A column that is `once`
    and the same in all rows is told there once, outside of the table. Of those with a `page`
    heading, some are for one reader: people see them as HTML, and programs as CSV.
    """

    value: Value
    kind: Kind
    terminal: str | None = None
    page: str | None = None
    card: str | None = None
    sometimes: Value | None = None
    wide: bool = False
    colour: str = ""
    once: bool = False
    reader: Literal["both", "people", "programs"] = "both"

    def of(self, row: Any) -> Any:
        return part_of(row, self.value)

    def applies(self, view: "View") -> bool:
        """Whether there is anything to see in it."""
        sometimes = self.sometimes
        return sometimes is None or any(part_of(row, sometimes) for row in view.rows)


@dataclass(frozen=True)
class View:
    """Rows are records or mappings; `total` is that of their sums, if it is shown.

    `split`: where people read, a table for each value of this column.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    total: Any = None
    split: str | None = None

    @property
    def parts(self) -> "list[View]":
        """A view for each value of the column to split by, in their order, without the column."""
        if self.split is None:
            return [self]
        found: dict[Any, list[Any]] = {}
        for row in self.rows:
            found.setdefault(part_of(row, self.split), []).append(row)
        columns = [column for column in self.columns if column.value != self.split]
        return [
            View(f"{self.title} by {name}" if name else self.title, columns, rows)
            for name, rows in found.items()
        ]

    @property
    def with_total(self) -> Sequence[Any]:
        return self.rows if self.total is None else [*self.rows, self.total]


def together(views: Mapping[str, View], head: Column) -> View:
    """What a program reads of several views as one: empty where a view has not the column.

    `head` is the first column, which has the name of the view.
    """
    found: dict[str, dict[str, Column]] = {}
    for name, view in views.items():
        for column in view.columns:
            if column.page and column.reader != "people":
                found.setdefault(column.page, {})[name] = column
    columns = [replace(head, value=lambda row: row[0])]
    for own in found.values():
        columns.append(replace(next(iter(own.values())), value=partial(_of_view, own)))
    rows = [(name, row) for name, view in views.items() for row in view.rows]
    return View(next(iter(views.values())).title, columns, rows)


def _of_view(own: Mapping[str, Column], row: tuple[str, Any]) -> Any:
    name, its = row
    return own[name].of(its) if name in own else None


def part_of(row: Any, value: Value) -> Any:
    if callable(value):
        return value(row)
    return row[value] if isinstance(row, Mapping) else attrgetter(value)(row)
