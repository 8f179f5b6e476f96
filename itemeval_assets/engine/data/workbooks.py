"""Reads a sheet of an Excel workbook (.xlsx), as people see it.

Of a formula the value that Excel has saved is taken: nothing is calculated here. openpyxl is an
extra, and loads only where a workbook is read.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile

from itemeval_assets.core.design.items.items import Record
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.nearest import did_you_mean

from .column_names import refuse_doubled

SUFFIX = ".xlsx"
_AN_OLE_FILE = b"\xd0\xcf\x11\xe0"
_DIGITS = 15  # what Excel shows of a number at most
_TEXT_IN_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')

Row = list[Any]


def read_workbook(path: Path, sheet: str | None) -> list[Record]:
    """The rows below the header of a sheet; null: of the first one that is shown.

    Raises DatasetError for a file that is no workbook, a sheet that is not there, an error in a
    cell, a formula without a saved value, and an empty row.
    """
    values = _sheet(path, sheet, is_saved=True)
    formulas = _sheet(path, sheet, is_saved=False)
    where = f"{path}, sheet {values.title!r}"
    rows = _without_empty_end(_filled(values, formulas, where))
    if not rows:
        return []
    header = ["" if cell is None else str(cell).strip() for cell in rows[0]]
    named = [name for name in header if name]
    if not named:
        raise DatasetError(f"{where}, row 1: is empty; write the names of the columns there")
    refuse_doubled(named, f"{where}, row 1")
    for number, row in enumerate(rows[1:], 2):
        if _is_empty(row):
            raise DatasetError(f"{where}, row {number}: is empty; fill it in, or remove it")
    return [
        Record(f"row {number}", {k: v for k, v in zip(header, row, strict=True) if k})
        for number, row in enumerate(rows[1:], 2)
    ]


def _sheet(path: Path, name: str | None, *, is_saved: bool) -> Any:
    """A sheet with the values that formulas have, or with the formulas."""
    workbook = _workbook(path, is_saved=is_saved)
    names = [one.title for one in workbook.worksheets]
    if name is not None and name not in names:
        raise DatasetError(
            f"benchmark.datasets: {path} has no sheet {name!r} (`name`); "
            f"{did_you_mean(name, names)}"
        )
    shown = [one for one in workbook.worksheets if one.sheet_state == "visible"]
    return workbook[name] if name is not None else (shown or workbook.worksheets)[0]


def _workbook(path: Path, *, is_saved: bool) -> Any:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DatasetError(
            f"{path}: reading Excel workbooks needs the package openpyxl: install '.[excel]', or "
            "save the sheet as CSV (UTF-8)"
        ) from error
    if path.read_bytes()[:4] == _AN_OLE_FILE:
        raise DatasetError(
            f"{path} is an old Excel workbook, or one with a password; save it as .xlsx, "
            "without one"
        )
    if not is_zipfile(path):
        raise DatasetError(f"{path} is no Excel workbook, whatever its name says; save it as .xlsx")
    try:
        book = load_workbook(path, data_only=is_saved)
        if not book.worksheets:
            raise ValueError("there is no sheet")
        return book
    except (BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DatasetError(
            f"{path}: not readable as an Excel workbook: {first}; save it again as .xlsx"
        ) from error


def _filled(values: Any, formulas: Any, where: str) -> Iterator[Row]:
    """The rows of a sheet. Each cell of a merged range has the value of its first."""
    first_of = {
        (row, column): (area.min_row, area.min_col)
        for area in values.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    for row in values.iter_rows(min_row=1, min_col=1):
        found = []
        for cell in row:
            place = first_of.get((cell.row, cell.column), (cell.row, cell.column))
            found.append(_value(values.cell(*place), formulas.cell(*place), where))
        yield found


def _value(cell: Any, formula: Any, where: str) -> Any:
    """What a cell shows: a text, a number, true or false; null where it is empty."""
    place = f"{where}, cell {cell.coordinate}"
    if cell.data_type == "e":
        raise DatasetError(f"{place}: shows the error {cell.value}; correct it")
    if cell.value is None and formula.data_type == "f":
        raise DatasetError(
            f"{place}: holds a formula without a saved value; open the workbook in Excel and save "
            "it, or paste the values"
        )
    if isinstance(cell.value, bool):
        return cell.value
    if isinstance(cell.value, int | float):
        return _number(cell.value, _TEXT_IN_FORMAT.sub("", cell.number_format or ""))
    if isinstance(cell.value, datetime | date | time):
        return _moment(cell.value, cell.number_format or "")
    return cell.value if isinstance(cell.value, str | None) else str(cell.value)


def _number(value: float, shown_as: str) -> Any:
    """A number without the noise of binary fractions: 0.3, and not 0.30000000000000004.

    Leading zeros and percent are what only the format says: they become text.
    """
    if shown_as.endswith("%"):
        return f"{100 * value:.{_DIGITS}g}%"
    rounded = float(f"{value:.{_DIGITS}g}")
    whole = int(rounded) if rounded.is_integer() and abs(rounded) < 10**_DIGITS else rounded
    if isinstance(value, int):
        whole = value
    if re.fullmatch("0{2,}", shown_as) and isinstance(whole, int):
        return f"{whole:0{len(shown_as)}d}"
    return whole


def _moment(value: date | time, shown_as: str) -> str:
    """A day as 2026-01-31, with its time where it shows one."""
    if isinstance(value, datetime) and value.time() == time() and "h" not in shown_as.lower():
        return value.date().isoformat()
    return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()


def _is_empty(row: Row) -> bool:
    return all(cell is None or cell == "" for cell in row)


def _without_empty_end(rows: Iterator[Row]) -> list[Row]:
    """The rows, but the last ones that have no value: spreadsheets keep them for their looks."""
    found = list(rows)
    while found and _is_empty(found[-1]):
        found.pop()
    return found
