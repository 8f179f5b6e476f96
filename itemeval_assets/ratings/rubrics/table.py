"""The file of rubrics: one row per rubric and item, for people to read and to change."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.errors import ConfigError, DatasetError, EnvironmentMissing
from itemeval_assets.engine.data.as_saved import as_saved
from itemeval_assets.engine.data.local_files import read_file
from itemeval_assets.ratings.texts import LONGEST_CELL, shown, without_controls

__all__ = ["HASH", "ITEM", "NAME", "TEXT", "GivenRubric", "as_bytes", "read_rubrics", "too_long"]

NAME, ITEM, TEXT, HASH = "rubric_name", "item_id", "rubric", "item_rubric_hash"
_COLUMNS = (NAME, ITEM, "input", TEXT, HASH, "edited_by")
_WIDTHS = {NAME: 16, ITEM: 16, HASH: 16, "edited_by": 16}
_WIDTH = 80
SUFFIXES = (".csv", ".xlsx", ".parquet")

Row = Mapping[str, Any]


class GivenRubric(NamedTuple):
    """One row of a file that came back. `place`: where it stands; `hash`: of the text it had."""

    place: str
    name: str
    item_id: str
    text: str
    hash: str


def as_bytes(rows: Sequence[Row], path: Path) -> bytes:
    """The rows in the format that the end of `path` names. Raises ConfigError for another end."""
    writers = {".csv": _as_csv, ".xlsx": _as_workbook, ".parquet": _as_parquet}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(f"{path}: give a file that ends with {', '.join(SUFFIXES)}")
    return writer(rows)


def too_long(rows: Sequence[Row], path: Path) -> int:
    """How many rubrics are longer than a cell of a spreadsheet holds."""
    if path.suffix.lower() == ".parquet":
        return 0
    return sum(len(row[TEXT]) > LONGEST_CELL for row in rows)


def read_rubrics(path: Path) -> list[GivenRubric]:
    """The rows of a file, in any order. Raises DatasetError for what is no such file."""
    if not path.is_file():
        raise DatasetError(f"there is no file {path}. Nothing was taken")
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(
            f"{path}: a file of rubrics ends with {', '.join(SUFFIXES)}. Nothing was taken"
        )
    return [*_rows(path)]


def _rows(path: Path) -> Iterator[GivenRubric]:
    for place, record in read_file(path, as_saved(path)):
        row = {str(name).strip().lower(): value for name, value in record.items()}
        for name in (NAME, ITEM, TEXT, HASH):
            if name not in row:
                raise DatasetError(
                    f"{path}: there is no column {name!r}; found {', '.join(row)}. Give it the name"
                    " that it had in the file. Nothing was taken"
                )
        name, item_id, text, hash = (_text(row.get(one)) for one in (NAME, ITEM, TEXT, HASH))
        yield GivenRubric(place, name.strip(), item_id, text, hash.strip())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _as_csv(rows: Sequence[Row]) -> bytes:
    """As a spreadsheet opens it: UTF-8 with its mark, and no text that it runs."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: shown(without_controls(_text(row[name]))) for name in _COLUMNS})
    return text.getvalue().encode("utf-8-sig")


def _as_parquet(rows: Sequence[Row]) -> bytes:
    schema = pa.schema([pa.field(name, pa.string()) for name in _COLUMNS])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([*map(dict, rows)], schema=schema), sink)
    return sink.getvalue()


def _as_workbook(rows: Sequence[Row]) -> bytes:
    """Raises EnvironmentMissing without openpyxl."""
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
    except ImportError as error:
        raise EnvironmentMissing(
            "writing Excel workbooks needs the package openpyxl: install '.[excel]', or write a "
            "file that ends with .csv or .parquet"
        ) from error
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "rubrics"
    for place, name in enumerate(_COLUMNS, 1):
        head = sheet.cell(1, place, name)
        head.font = Font(bold=True)
        sheet.column_dimensions[head.column_letter].width = _WIDTHS.get(name, _WIDTH)
        for number, row in enumerate(rows, 2):
            cell = sheet.cell(number, place)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            # `=1+1` is a text, and no formula.
            cell.value = without_controls(_text(row[name]))[:LONGEST_CELL]
            cell.data_type = "s"
            cell.quotePrefix = True
    sheet.freeze_panes = "A2"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
