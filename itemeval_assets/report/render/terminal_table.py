"""Views on a terminal."""

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from typing import Any, NamedTuple, get_args

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text as Styled

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.report.render.records import MONEY
from itemeval_assets.report.render.scores import (
    component_words,
    difference_words,
    interval_words,
    p_words,
    part_words,
    scale_words,
    score_words,
    span_words,
)
from itemeval_assets.report.terminal import data, out, paragraph
from itemeval_assets.report.views.view import Column, Kind, Text, View

# From so many columns on there is room for all figures.
_WIDE = 110
_LONGEST_LINE = 120
_NARROWEST = 4
# Characters between two columns: with rules, without, and as few as can be.
_RULED, _PLAIN, _CLOSE = 3, 2, 1
_VERDICTS = {"ok": "green", "dead": "red", "unverified": "yellow"}


def show(view: View) -> None:
    """Print a view. Where it is too wide, texts break at spaces: no figure is ever cut.

    Where words would break, the first texts of a row stand below each other.
    """
    columns = [column for column in view.columns if _is_shown(column, view)]
    told = {column: value for column in columns if (value := _told_once(column, view)) is not None}
    columns = [column for column in columns if column not in told]
    out.print(f"[bold]{data(view.title)}[/bold]", soft_wrap=True)
    if said := [f"{_heading(column)} {value}" for column, value in told.items() if value]:
        paragraph(f"In all rows: {'; '.join(said)}.")
    cells = [[_cell(column, row) for column in columns] for row in view.with_total]
    out.print(_table(*_laid_out(columns, cells)))


def _laid_out(
    columns: list[Column], cells: list[list[str]]
) -> "tuple[list[Column], list[list[str]], _Widths]":
    """The first layout in which no word breaks; else the last one, in which words do."""
    beside, stacked = (columns, cells), _stacked(columns, cells)
    layouts = ((beside, _RULED), (beside, _PLAIN), (stacked, _RULED), (stacked, _PLAIN))
    for table, gap in (*layouts, (beside, _CLOSE)):
        widths = _widths(*table, gap)
        if not widths.breaks_words:
            return *table, widths
    return *stacked, _widths(*stacked, _CLOSE)


def _stacked(columns: list[Column], cells: list[list[str]]) -> tuple[list[Column], list[list[str]]]:
    """The first columns of names as one, whose cells have a line for each name."""
    first = list(takewhile(lambda column: column.kind == "text", columns))
    if len(first) < 2:
        return columns, cells
    heads, n = [_heading(column) for column in first], len(first)
    rows = [
        ["\n".join(f"{head}: {cell}" for head, cell in zip(heads, row, strict=False)), *row[n:]]
        for row in cells
    ]
    return [replace(first[0], terminal=", ".join(heads)), *columns[n:]], rows


def _told_once(column: Column, view: View) -> str | None:
    """What all rows of a column have, if it is the same."""
    found = {FORMATS[column.kind](column.of(row)) for row in view.rows} if column.once else ()
    return _plain(found.pop()) if len(found) == 1 else None


def _heading(column: Column) -> str:
    return (column.terminal or "").replace("\n", " ")


class _Widths(NamedTuple):
    """`columns`: their widths where the table is wider than the terminal, else null.

    `gap`: the characters between two columns.
    """

    columns: list[int] | None
    gap: int
    breaks_words: bool = False


def _widths(columns: list[Column], marked: list[list[str]], gap: int) -> _Widths:
    """Texts are narrowed to their longest words; where that is too wide, within words."""
    rows = [list(map(_plain, row)) for row in marked]
    cells = [[column.terminal or "", *(row[n] for row in rows)] for n, column in enumerate(columns)]
    natural = [max(cell_len(line) for cell in one for line in cell.split("\n")) for one in cells]
    least = [
        max((cell_len(word) for cell in one for word in cell.split()), default=0)
        if _is_text(column)
        else width
        for column, one, width in zip(columns, cells, natural, strict=True)
    ]
    edges = 4 if gap == _RULED else 0
    room, widths = out.width - edges - gap * (len(columns) - 1), list(natural)
    if sum(natural) <= room:
        return _Widths(None, gap)
    texts = [n for n, column in enumerate(columns) if _is_text(column)]
    _narrow(widths, texts, least, room)
    breaks_words = sum(widths) > room
    _narrow(widths, texts, [_NARROWEST] * len(least), room)
    return _Widths(widths, gap, breaks_words)


def _narrow(widths: list[int], texts: list[int], least: list[int], room: int) -> None:
    """Take from the widest text until all have room, or none can be narrower."""
    while sum(widths) > room:
        wide = [n for n in texts if widths[n] > least[n]]
        if not wide:
            return
        widths[max(wide, key=lambda n: widths[n])] -= 1


def _table(columns: list[Column], cells: list[list[str]], widths: _Widths) -> Table:
    table = Table()
    if widths.gap != _RULED:
        padding = (0, widths.gap - 1, 0, 0)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for n, column in enumerate(columns):
        width = widths.columns[n] if widths.columns else None
        if _is_text(column):
            table.add_column(column.terminal or "", overflow="fold", width=width)
        else:
            table.add_column(column.terminal or "", justify="right", no_wrap=True, width=width)
    for row in cells:
        table.add_row(*row)
    return table


def _is_text(column: Column) -> bool:
    return column.kind in get_args(Text)


def _plain(cell: str) -> str:
    return Styled.from_markup(cell).plain


def _is_shown(column: Column, view: View) -> bool:
    """On a narrow terminal the tokens go, not the dollars."""
    if column.terminal is None or (column.wide and out.width < _WIDE):
        return False
    return column.applies(view)


def _cell(column: Column, row: Any) -> str:
    value = column.of(row)
    text = FORMATS[column.kind](value)
    return f"[{column.colour}]{text}[/{column.colour}]" if column.colour and value else text


def _line(text: str | None) -> str:
    line = " ".join((text or "").split())
    return data(line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…")


FORMATS: dict[Kind, Callable[[Any], str]] = {
    "text": lambda text: data(text or ""),
    "name_or_all": lambda text: data(text) or "[bold]all[/bold]",
    "line": _line,
    "state": lambda state: state.replace("_", " "),
    "verdict": lambda verdict: f"[{_VERDICTS[verdict]}]{verdict}[/]",
    "left_out": left_out_words,
    "number": str,
    "count": str,
    "size": "{:,}".format,
    "share": lambda share: f"{share[0]}/{share[1]}",
    "tokens": lambda count: str(count) if count < 10_000 else f"{count / 1000:,.0f}k",
    "mean": lambda mean: "-" if mean is None else score_words(mean),
    "interval": lambda ends: interval_words(ends) or "-",
    "difference": lambda value: "-" if value is None else difference_words(value),
    "span": lambda ends: span_words(ends) or "-",
    "logs": lambda logs: data(" ".join(logs)),
    "component": lambda value: component_words(value) or "-",
    "p": lambda p: p_words(p) or "-",
    "part": lambda part: part_words(part) or "-",
    "scale": scale_words,
    "seconds": lambda seconds: "" if seconds is None else f"{seconds:.2f} s",
    **MONEY,
}
