"""A sheet as a file: CSV, or a workbook of Excel. No cell of it is run as a formula."""

import csv
import io
from typing import Any

from itemeval_assets.core.errors import EnvironmentMissing

from ..content import CODE, COMMENT, RUBRIC, SCORE, SheetContent
from ..texts import LONGEST_CELL, shown, without_controls

_WIDTHS = {CODE: 12, SCORE: 8, COMMENT: 30}
_WIDTH = 60


def as_csv(content: SheetContent) -> bytes:
    """The rubric stands in the first row, and nowhere else. Excel opens it as UTF-8."""
    text = io.StringIO()
    names = [CODE, *content.names, SCORE, COMMENT, RUBRIC]
    writer = csv.DictWriter(text, names, lineterminator="\r\n", restval="")
    writer.writeheader()
    for number, row in enumerate(content.rows):
        told = {RUBRIC: _task(content)} if not number else {}
        writer.writerow(
            {name: shown(without_controls(value)) for name, value in {**row, **told}.items()}
        )
    return text.getvalue().encode("utf-8-sig")


def as_workbook(content: SheetContent) -> bytes:
    """The rubric is a sheet of its own. Raises EnvironmentMissing without openpyxl."""
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
    except ImportError as error:
        raise EnvironmentMissing(
            "writing Excel workbooks needs the package openpyxl: install '.[excel]', or write a "
            "sheet that ends with .csv or .html"
        ) from error
    book = Workbook()
    ratings: Any = book.active
    ratings.title = "ratings"
    names = [CODE, *content.names, SCORE, COMMENT]
    top = Alignment(wrap_text=True, vertical="top")
    for place, name in enumerate(names, 1):
        head = ratings.cell(1, place)
        _write(head, name)
        head.font = Font(bold=True)
        ratings.column_dimensions[head.column_letter].width = _WIDTHS.get(name, _WIDTH)
    for number, row in enumerate(content.rows, 2):
        for place, name in enumerate(names, 1):
            cell = ratings.cell(number, place)
            cell.alignment = top
            if name in row:
                _write(cell, row[name])
    ratings.freeze_panes = "B2"
    told = book.create_sheet(RUBRIC)
    told.column_dimensions["A"].width = 100
    told["A1"].alignment = top
    _write(told["A1"], _task(content))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def cut_answers(content: SheetContent) -> int:
    """How many answers are longer than a cell of Excel holds."""
    return sum(any(len(text) > LONGEST_CELL for text in row.values()) for row in content.rows)


def _write(cell: Any, text: str) -> None:
    """A text, whatever it looks like: `=1+1` is no formula."""
    cell.value = without_controls(text)[:LONGEST_CELL]
    cell.data_type = "s"
    cell.quotePrefix = True


def _task(content: SheetContent) -> str:
    return (
        f"Give each answer a score {content.scale_words}. Leave it empty where you cannot tell.\n\n"
        f"{content.rubric}"
    )
