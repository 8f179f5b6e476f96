"""Views and names in Markdown, and the templates of the report."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from itemeval_assets.core.records.summaries import left_out_words
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
from itemeval_assets.report.views.view import Kind, View


def rendered(template: str, **values: Any) -> str:
    """A template, which is packaged beside this folder, with these values in it."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    found = Environment(
        autoescape=select_autoescape(["html"], default=False),  # the others are Markdown
        keep_trailing_newline=True,
        loader=PackageLoader("itemeval_assets.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {
        "address": _address,
        "code": _code,
        "file_name": lambda path: path.rsplit("/", maxsplit=1)[-1],
        "grouped": "{:,}".format,
        "names": _names,
        "row": _row,
        "table": _table,
    }
    return found


def _address(path: str) -> str:
    """Where a browser finds a file."""
    return path if "://" in path else Path(path).absolute().as_uri()


def _code(sentence: str) -> str:
    """A sentence as HTML, where what stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(sentence))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _table(view: View) -> str:
    """The columns that have a heading in the card, with the row of sums."""
    columns = [one for one in view.columns if one.card is not None and one.applies(view)]
    rows = [[_FORMATS.get(c.kind, str)(c.of(row)) for c in columns] for row in view.with_total]
    lines = [_row([column.card for column in columns]), "|" + "---|" * len(columns)]
    return "\n".join([*lines, *map(_row, rows)])


_FORMATS: dict[Kind, Callable[[Any], str]] = {
    "text": lambda text: text or "",
    "name_or_all": lambda name: name or "total",
    "left_out": left_out_words,
    "count": "{:,}".format,
    "mean": lambda mean: "-" if mean is None else score_words(mean),
    "interval": lambda ends: interval_words(ends) or "-",
    "difference": lambda value: "-" if value is None else difference_words(value),
    "span": lambda ends: span_words(ends) or "-",
    "component": lambda value: component_words(value) or "-",
    "p": p_words,
    "part": part_words,
    "scale": scale_words,
    "amount": lambda amount: f"{amount.usd:.4f}",
}
