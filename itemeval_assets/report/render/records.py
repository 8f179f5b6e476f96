"""Views as plain records, for tables on the page of an asset: without the row of sums."""

from collections.abc import Callable
from typing import Any

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.report.render.scores import interval_words, scale_words
from itemeval_assets.report.views.view import Amount, Kind, View

_DECIMALS_OF_USD, _DECIMALS_OF_MEANS = 9, 6


def records(view: View) -> list[dict[str, Any]]:
    """A record per row, by the headings of the page."""
    columns = {column.page: column for column in view.columns if column.page is not None}
    return [
        {
            heading: _FORMATS.get(column.kind, _as_it_is)(column.of(row))
            for heading, column in columns.items()
        }
        for row in view.rows
    ]


def _as_it_is(value: Any) -> Any:
    return "" if value is None else value


def _usd(usd: float) -> float:
    """Without the noise of float sums."""
    return round(usd, _DECIMALS_OF_USD)


def _paid(paid: Amount | None) -> str:
    return "" if paid is None or paid.usd is None else f"{paid.usd:.9f}"


_FORMATS: dict[Kind, Callable[[Any], Any]] = {
    "left_out": left_out_words,
    "share": lambda share: f"{share[0]} of {share[1]}",
    "mean": lambda mean: None if mean is None else round(mean, _DECIMALS_OF_MEANS),
    "interval": interval_words,
    "component": lambda value: value,
    "p": lambda p: p,
    "part": lambda part: None if part is None else round(part, _DECIMALS_OF_MEANS),
    "scale": scale_words,
    "seconds": lambda seconds: "" if seconds is None else f"{seconds:.3f}",
    "usd": _usd,
    "amount": lambda amount: _usd(amount.usd),
    "expected": lambda usd: "unknown" if usd is None else f"{usd:.6f}",
    "paid": _paid,
    # From the list price to the price paid.
    "saved": lambda usd: -_usd(usd),
}
