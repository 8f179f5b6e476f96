"""Views and names in Markdown, and the templates that show them."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.report.views.view import Kind, View


def rendered(template: str, **values: Any) -> str:
    """A template, which is packaged beside this folder, with these values in it."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    found = Environment(
        autoescape=False,  # Markdown, and no page
        keep_trailing_newline=True,
        loader=PackageLoader("itemeval_assets.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {"grouped": "{:,}".format, "names": _names, "row": _row, "table": _table}
    return found


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _table(view: View) -> str:
    """The columns that have a heading in the card, with the row of sums."""
    columns = [column for column in view.columns if column.card is not None]
    rows = [[_FORMATS.get(c.kind, str)(c.of(row)) for c in columns] for row in view.with_total]
    lines = [_row([column.card for column in columns]), "|" + "---|" * len(columns)]
    return "\n".join([*lines, *map(_row, rows)])


_FORMATS: dict[Kind, Callable[[Any], str]] = {
    "name_or_all": lambda name: name or "total",
    "left_out": left_out_words,
    "count": "{:,}".format,
    "mean": lambda mean: "none" if mean is None else f"{mean:.4g}",
    "amount": lambda amount: f"{amount.usd:.4f}",
}
