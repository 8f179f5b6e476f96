"""Reads a sheet that came back: a workbook, or CSV however a spreadsheet has saved it."""

from pathlib import Path
from typing import Any, NamedTuple

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.data.as_saved import as_saved
from itemeval_assets.engine.data.local_files import read_file

from ..content import CODE, COMMENT, SCORE
from ..texts import plain

_SUFFIXES = (".csv", ".xlsx")


class FilledRow(NamedTuple):
    """One row. `place`: where it stands in the file; `score` as it was written; `texts`: others."""

    place: str
    code: str
    score: Any
    comment: str
    texts: dict[str, str]


def read_sheet(path: Path) -> list[FilledRow]:
    """The rows of a sheet, in any order. Raises DatasetError for what is no sheet."""
    if not path.is_file():
        raise DatasetError(f"there is no file {path}. Nothing was taken")
    if path.suffix.lower() not in _SUFFIXES:
        advice = ""
        if path.suffix.lower() in (".html", ".htm"):
            advice = ": open the page, press `Save ratings`, and import the file that it saves"
        raise DatasetError(
            f"{path}: a filled-in sheet ends with .csv or .xlsx{advice}. Nothing was taken"
        )
    records = read_file(path, as_saved(path))
    rows = [
        (place, {str(name).strip().lower(): value for name, value in row.items()})
        for place, row in records
    ]
    for _, row in rows[:1]:
        for name in (CODE, SCORE):
            if name not in row:
                raise DatasetError(
                    f"{path}: there is no column {name!r}; found {', '.join(row)}. Give it the name"
                    " that it had on the sheet. Nothing was taken"
                )
    return [_row(place, row) for place, row in rows]


def _row(place: str, row: dict[str, Any]) -> FilledRow:
    texts = {
        name: str(value)
        for name, value in row.items()
        if name not in {CODE, SCORE, COMMENT} and value not in (None, "")
    }
    score = row[SCORE]
    is_blank = score is None or (isinstance(score, str) and not score.strip())
    return FilledRow(
        place,
        str(row[CODE] or "").strip().lower(),
        None if is_blank else score,
        plain(str(row.get(COMMENT) or "")).strip(),
        texts,
    )
