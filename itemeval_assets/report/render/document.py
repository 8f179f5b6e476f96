"""A document: sentences and tables in order. On a terminal, as a page of HTML, or as CSV."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.report.render.records import records
from itemeval_assets.report.render.terminal_table import show
from itemeval_assets.report.terminal import data, out
from itemeval_assets.report.views import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Document", "print_document", "require_format", "write_document"]

_FORMATS = (".csv", ".html")
_MOST_ROWS = 40


@dataclass(frozen=True)
class Document:
    """`pictures` are drawn only where somebody sees them. The first table is the one of the CSV."""

    title: str
    blocks: Sequence[str | View]
    pictures: "Mapping[str, Callable[[], Figure]]" = field(default_factory=dict)

    @property
    def views(self) -> Iterator[View]:
        return (block for block in self.blocks if isinstance(block, View))

    def shortened(self, most: int) -> "Document":
        """With at most so many rows in each table, and how many more there are."""
        return replace(self, blocks=[part for block in self.blocks for part in _cut(block, most)])


def print_document(document: Document) -> None:
    """On the terminal: everything but the pictures."""
    for block in document.shortened(_MOST_ROWS).blocks:
        if isinstance(block, str):
            out.print(data(block), soft_wrap=True)
        elif block.rows:
            show(block)


def _cut(block: str | View, most: int) -> Iterator[str | View]:
    if isinstance(block, str) or len(block.rows) <= most:
        yield block
    else:
        yield replace(block, rows=block.rows[:most])
        yield f"{block.title}: and {len(block.rows) - most:,} more; the command's --out has all."


def require_format(path: Path) -> None:
    """Raise ConfigError for a file that no document is written to."""
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(f"--out {path}: give a file that ends with {' or '.join(_FORMATS)}")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise ConfigError(f"--out {path}: this is a folder; name a file")


def write_document(document: Document, path: Path) -> None:
    """Write a file, whole or not at all. Raises ConfigError where it cannot be written."""
    require_format(path)
    text = as_csv(document) if path.suffix.lower() == ".csv" else _as_html(document)
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"--out {path}: cannot be written: {error.strerror}") from error


def as_csv(document: Document) -> str:
    """The first table that has rows."""
    view = next((view for view in document.views if view.rows), None)
    rows = records(view) if view else []
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _as_html(document: Document) -> str:
    from itemeval_assets.report.render.page import page

    blocks = [
        block if isinstance(block, str) else {"title": block.title, "rows": records(block)}
        for block in document.blocks
    ]
    return page(document.title, blocks, document.pictures)
