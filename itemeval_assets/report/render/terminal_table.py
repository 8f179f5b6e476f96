"""Views on a terminal."""

from collections.abc import Callable
from typing import Any, get_args

from rich.table import Table

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.core.text.words import dollars
from itemeval_assets.report.render.scores import (
    interval_words,
    p_words,
    part_words,
    scale_words,
    score_words,
)
from itemeval_assets.report.terminal import data, out
from itemeval_assets.report.views.view import Amount, Column, Kind, Text, View, part_of

# From so many columns on there is room for all figures.
_WIDE = 110
_LONGEST_LINE = 120
_VERDICTS = {"ok": "green", "dead": "red", "unverified": "yellow"}


def show(view: View) -> None:
    """Print a view, its texts folded where it is too wide: no figure is ever cut."""
    columns = [column for column in view.columns if _is_shown(column, view)]
    table = Table(title=view.title, title_justify="left", title_style="bold")
    for column in columns:
        if column.kind in get_args(Text):
            table.add_column(column.terminal or "", overflow="fold")
        else:
            table.add_column(column.terminal or "", justify="right", no_wrap=True)
    for row in view.with_total:
        table.add_row(*(_cell(column, row) for column in columns))
    out.print(table)


def _is_shown(column: Column, view: View) -> bool:
    """On a narrow terminal the tokens go, not the dollars."""
    if column.terminal is None or (column.wide and out.width < _WIDE):
        return False
    sometimes = column.sometimes
    return sometimes is None or any(part_of(row, sometimes) for row in view.rows)


def _cell(column: Column, row: Any) -> str:
    value = column.of(row)
    text = FORMATS[column.kind](value)
    return f"[{column.colour}]{text}[/{column.colour}]" if column.colour and value else text


def _line(text: str | None) -> str:
    line = " ".join((text or "").split())
    return data(line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…")


def _amount(amount: Amount | None) -> str:
    return "" if amount is None else amount.word or dollars(amount.usd)


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
    "component": lambda value: "-" if value is None else f"{value:.4g}",
    "p": p_words,
    "part": part_words,
    "scale": scale_words,
    "seconds": lambda seconds: "" if seconds is None else f"{seconds:.2f} s",
    "usd": dollars,
    "amount": _amount,
    "expected": lambda usd: "?" if usd is None else dollars(usd),
    "paid": _amount,
    "saved": dollars,
}
