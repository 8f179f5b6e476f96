"""Views as plain records, for pages and for CSV: without the row of sums."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.core.text.words import dollars
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
from itemeval_assets.report.views.view import Amount, Column, Figure, Kind, Money, Quantity, View

_DECIMALS_OF_USD, _DIGITS = 9, 9
_FIRM_SPACE = "\N{NO-BREAK SPACE}"


def records(view: View) -> list[dict[str, Any]]:
    """A record per row, by the headings of the page, with all digits."""
    return _records(view, "programs", _FORMATS)


def shown(view: View) -> list[dict[str, Any]]:
    """A record per row as people read it: figures with the digits of the terminal."""
    return _records(view, "people", _FORMATS | _SHOWN)


def columns_of(view: View, reader: str) -> list[Column]:
    """The columns of a page that people or programs read."""
    return [column for column in view.columns if column.page and column.reader in ("both", reader)]


def is_number(column: Column) -> bool:
    """Whether its values stand at the right of their column."""
    return column.kind in (*get_args(Quantity), *get_args(Figure), *get_args(Money))


def _records(view: View, reader: str, formats: Mapping[Kind, Any]) -> list[dict[str, Any]]:
    columns = {str(column.page): column for column in columns_of(view, reader)}
    return [
        {
            heading: formats.get(column.kind, _as_it_is)(column.of(row))
            for heading, column in columns.items()
        }
        for row in view.rows
    ]


def _as_it_is(value: Any) -> Any:
    return "" if value is None else value


def _usd(usd: float) -> float:
    """Without the noise of float sums."""
    return round(usd, _DECIMALS_OF_USD)


def _number(value: float | None) -> float | None:
    """With as many digits as any other figure, without the noise of float sums."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _ends(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{_number(ends[0])} to {_number(ends[1])}"


def _paid(paid: Amount | None) -> str:
    return "" if paid is None or paid.usd is None else f"{paid.usd:.9f}"


_FORMATS: dict[Kind, Callable[[Any], Any]] = {
    "left_out": left_out_words,
    "share": lambda share: f"{share[0]} of {share[1]}",
    "mean": _number,
    "interval": _ends,
    "difference": _number,
    "span": _ends,
    "logs": " ".join,
    "component": _number,
    "p": _number,
    "part": _number,
    "scale": scale_words,
    "seconds": lambda seconds: "" if seconds is None else f"{seconds:.3f}",
    "usd": _usd,
    "amount": lambda amount: _usd(amount.usd),
    "expected": lambda usd: "unknown" if usd is None else f"{usd:.6f}",
    "paid": _paid,
    # From the list price to the price paid.
    "saved": lambda usd: -_usd(usd),
}


def _amount(amount: Amount | None) -> str:
    return "" if amount is None else amount.word or dollars(amount.usd)


# Money as people read it, on a page and in the terminal.
MONEY: dict[Kind, Callable[[Any], str]] = {
    "usd": dollars,
    "amount": _amount,
    "expected": lambda usd: "?" if usd is None else dollars(usd),
    "paid": _amount,
    "saved": dollars,
}
# Both ends of an interval stay on one line.
_SHOWN: dict[Kind, Callable[[Any], Any]] = {
    "interval": lambda ends: interval_words(ends).replace(" ", _FIRM_SPACE),
    "span": lambda ends: span_words(ends).replace(" ", _FIRM_SPACE),
    "mean": lambda mean: "" if mean is None else score_words(mean),
    "difference": lambda value: "" if value is None else difference_words(value),
    "component": component_words,
    "p": p_words,
    "part": lambda part: part_words(part).replace(" ", _FIRM_SPACE),
    **MONEY,
}
