"""A document: sentences and tables in order. On a terminal, as a page of HTML, or as CSV."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.report.render.pages.sections import Section
from itemeval_assets.report.render.records import columns_of, is_number, records, shown
from itemeval_assets.report.render.replaced import STUDY, require_own_page, require_own_table
from itemeval_assets.report.render.terminal_table import show
from itemeval_assets.report.terminal import paragraph
from itemeval_assets.report.views import View
from itemeval_assets.report.views.view import Column, Figure
from itemeval_assets.storage.own_files import draft_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

_FORMATS = (".csv", ".html")
# A path has one slash of an address left.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/")
_MOST_ROWS = 40
# A text that a page shows in one line.
_SHORT = 40


class ImageLine(str):
    """`Image: ` and where it lies. A type of its own: no text of an item is taken for one."""

    __slots__ = ()

    @property
    def image(self) -> str:
        return self.partition(": ")[2]


@dataclass(frozen=True)
class Document:
    """`pictures` are drawn only where somebody sees them.

    `table` has the rows of a CSV, which is one table; null: the first of the tables. Its last
    column is the name of the study, but in a matrix, which holds nothing but figures.
    """

    title: str
    blocks: Sequence[str | View]
    pictures: "Mapping[str, Callable[[], Picture]]" = field(default_factory=dict)
    table: View | None = None
    is_matrix: bool = False

    @property
    def views(self) -> Iterator[View]:
        return (block for block in self.blocks if isinstance(block, View))

    @property
    def split(self) -> "Document":
        """With a table for each grader, whose name stands once, in its title."""
        parts: list[str | View] = []
        for block in self.blocks:
            parts += [block] if isinstance(block, str) else block.parts
        return replace(self, blocks=parts)

    def shortened(self, most: int, written: Path | None = None) -> "Document":
        """With at most so many rows in each table, and how many more there are, and where."""
        place = str(written) if written else "the command's `--out FILE.csv`"
        return replace(
            self, blocks=[part for block in self.blocks for part in _cut(block, most, place)]
        )


def print_document(document: Document, written: Path | None = None) -> None:
    """On the terminal: everything but the pictures. `written`: the file that has all of it."""
    for block in document.split.shortened(_MOST_ROWS, written).blocks:
        if isinstance(block, str):
            paragraph(block)
        elif block.rows:
            show(block)


def _cut(block: str | View, most: int, place: str) -> Iterator[str | View]:
    if isinstance(block, str) or len(block.rows) <= most:
        yield block
    else:
        yield replace(block, rows=block.rows[:most])
        yield (
            f"{block.title}: {len(block.rows) - most:,} more rows are not shown, as a table has at"
            f" most {most:,} here; {place} has all."
        )


def require_format(path: Path, *formats: str) -> None:
    """Raise ConfigError for a file that no document is written to; `formats`: but only in these."""
    known = formats or _FORMATS
    if _ADDRESS.match(str(path)):
        raise ConfigError(f"--out {path}: only files of this machine are written")
    if path.suffix.lower() not in known:
        raise ConfigError(f"--out {path}: give a file that ends with {' or '.join(known)}")
    try:
        has_folder, is_folder = path.parent.is_dir(), path.is_dir()
        is_other = path.exists() and not is_folder and not path.is_file()
    except OSError as error:
        raise _unwritable(path, error) from error
    if not has_folder:
        raise ConfigError(f"--out {path}: there is no folder {path.parent}; make it first")
    if is_folder:
        raise ConfigError(f"--out {path}: this is a folder; name a file")
    if is_other:
        raise ConfigError(
            f"--out {path}: this is no file, but a pipe or a device; name a file, or give another "
            "program what --json prints"
        )


def write_document(document: Document, path: Path, study: str) -> None:
    """Write a file, whole or not at all. `study`: the name of the one that the document is of.

    Raises ConfigError where it cannot be written, or would replace what is something else.
    """
    require_format(path)
    if path.suffix.lower() == ".csv":
        text = as_csv(document, None if document.is_matrix else study)
        require_own_table(path, text, study)
    else:
        require_own_page(path, study)
        text = _as_html(document, study)
    write_text(text, path)


def write_text(text: str, path: Path) -> None:
    """Write a file, whole or not at all. Raises ConfigError where it cannot be written."""
    # A short name: that of the file may be the longest that the disk allows.
    draft = path.with_name(draft_name())
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        # On a disk that cannot be written nothing can be removed either.
        with suppress(OSError):
            draft.unlink()
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"--out {path}: cannot be written: {error.strerror}")


def as_csv(document: Document, study: str | None = None) -> str:
    """One table with the rows of all, and the name of the study in its last column."""
    view = document.table or next((view for view in document.views if view.rows), None)
    rows = records(view) if view else []
    text = io.StringIO()
    heads = [str(column.page) for column in columns_of(view, "programs")] if view else []
    named = {} if study is None or STUDY in heads else {STUDY: study}
    writer = csv.DictWriter(text, [*heads, *named], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **named} for row in rows)
    return text.getvalue()


def _as_html(document: Document, study: str) -> str:
    from itemeval_assets.report.render.pages.page import page

    return page(document.title, [section_of(document)], study=study)


def section_of(
    document: Document, title: str = "", *, most: int | None = None, **more: Any
) -> Section:
    """A document as a section of a page; `most`: the rows of a table that are shown."""
    whole = document.split if most is None else document.split.shortened(most)
    blocks = [block if isinstance(block, str) else _table(block) for block in whole.blocks]
    return Section(title=title, blocks=blocks, pictures=document.pictures, **more)


def _table(view: View) -> dict[str, Any]:
    """A table of a page: of each cell its text, and the files that it names. No column is empty."""
    texts = shown(view)
    filled = {name for row in texts for name, text in row.items() if text not in ("", None)}
    columns = [
        one for one in columns_of(view, "people") if one.page in filled and one.applies(view)
    ]
    return {
        "title": view.title,
        "columns": [{"name": one.page, "is_number": is_number(one)} for one in columns],
        "rows": [
            [_html_cell(one, row, text) for one in columns]
            for row, text in zip(view.rows, texts, strict=True)
        ],
    }


def _html_cell(column: Column, row: Any, texts: Mapping[str, Any]) -> dict[str, Any]:
    text = "" if column.kind == "logs" else str(texts[str(column.page)])
    return {
        "text": text or "-" if column.kind in get_args(Figure) or column.kind == "part" else text,
        "links": column.of(row) if column.kind == "logs" else [],
        "is_short": is_number(column) or len(text) <= _SHORT,
    }
