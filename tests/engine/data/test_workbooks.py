"""Excel workbooks: a sheet is read as people see it."""

import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from openpyxl.styles import Font

from itemeval_assets.core.config.sections import DatasetConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.data.local_files import read_file

HEAD = ["id", "question", "answer"]


def write(path: Path, rows: list[list[Any]], change: Callable[[Any], None] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    if change:
        change(book)
    book.save(path)
    return path


def read(path: Path, sheet: str | None = None) -> list[dict[str, Any]]:
    return [dict(row.values) for row in read_file(path, DatasetConfig(id=path.name, name=sheet))]


def with_saved_value(path: Path, formula: str, value: str) -> None:
    """The workbook as Excel saves it: a formula has its value beside it."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = parts[name].decode()
    assert f"<f>{formula}</f><v></v>" in text or f"<f>{formula}</f><v />" in text
    for empty in ("<v></v>", "<v />"):
        text = text.replace(f"<f>{formula}</f>{empty}", f"<f>{formula}</f><v>{value}</v>")
    parts[name] = text.encode()
    with ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("value", "shown_as", "read_as"),
    [
        ("a text ", None, "a text "),
        (None, None, None),
        (4, None, 4),
        (4.0, None, 4),
        (0.1 + 0.2, None, 0.3),
        (1e300, None, 1e300),
        (123456789012345, None, 123456789012345),
        (-0.5, None, -0.5),
        (True, None, True),
        (0.5, "0%", "50%"),
        (0.125, "0.0%", "12.5%"),
        (7, "0000", "0007"),
        (7, '0" %"', 7),
        (date(2026, 1, 31), None, "2026-01-31"),
        (datetime(2026, 1, 31), "yyyy-mm-dd", "2026-01-31"),
        (datetime(2026, 1, 31, 14, 30), None, "2026-01-31 14:30:00"),
        (datetime(2026, 1, 31), "yyyy-mm-dd hh:mm", "2026-01-31 00:00:00"),
        (time(14, 30), None, "14:30:00"),
        ("007", None, "007"),
        ("=SUM", "@", "=SUM"),
    ],
)
def test_a_cell_is_what_people_see(
    tmp_path: Path, value: Any, shown_as: str | None, read_as: Any
) -> None:
    def change(book: Any) -> None:
        cell = book.worksheets[0]["C2"]
        if shown_as:
            cell.number_format = shown_as
        if value == "=SUM":
            cell.data_type = "s"

    [row] = read(write(tmp_path / "x.xlsx", [HEAD, ["q1", "?", value]], change))
    assert row == {"id": "q1", "question": "?", "answer": read_as}
    assert type(row["answer"]) is type(read_as)


def test_the_saved_value_of_a_formula(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", [HEAD, ["q1", "?", "=1+2"]])
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}, sheet 'Sheet', cell C2: holds a formula without a saved value; open the workbook "
        "in Excel and save it, or paste the values"
    )
    with_saved_value(path, "1+2", "3")
    assert read(path)[0]["answer"] == 3


def test_the_first_sheet_that_is_shown_or_one_by_name(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book.worksheets[0].sheet_state = "hidden"
        for name in ("Items", "More"):
            book.create_sheet(name)
            for row in (HEAD, [name, "?", 1]):
                book[name].append(row)

    path = write(tmp_path / "x.xlsx", [HEAD, ["hidden", "?", 1]], change)
    assert [read(path, name)[0]["id"] for name in (None, "More", "Sheet")] == [
        "Items",
        "More",
        "hidden",
    ]
    with pytest.raises(DatasetError) as caught:
        read(path, "Itmes")
    assert str(caught.value).endswith("has no sheet 'Itmes' (`name`); did you mean 'Items'?")


def test_merged_cells_and_rows_that_only_have_a_look(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book.worksheets[0]
        sheet.merge_cells("C2:C3")
        sheet["A9"].font = Font(bold=True)

    rows = [[*HEAD, None, "topic"], ["q1", "?", 5, "note"], ["q2", "?", None, None, "t"]]
    assert read(write(tmp_path / "x.xlsx", rows, change)) == [
        {"id": "q1", "question": "?", "answer": 5, "topic": None},
        {"id": "q2", "question": "?", "answer": 5, "topic": "t"},
    ]
    assert read(write(tmp_path / "none.xlsx", [])) == []
    places = read_file(tmp_path / "x.xlsx", DatasetConfig(id="x.xlsx"))
    assert [row.place for row in places] == ["row 2", "row 3"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([HEAD, [], ["q2", "?", 1]], "sheet 'Sheet', row 2: is empty; fill it in, or remove it"),
        ([[], HEAD, ["q1", "?", 1]], "row 1: is empty; write the names of the columns there"),
        ([["id", "id"], [1, 2]], "row 1: 'id' occurs twice; give each column its own name"),
        ([HEAD, ["q1", "?", "#DIV/0!"]], "cell C2: shows the error #DIV/0!; correct it"),
    ],
)
def test_what_could_be_misread(tmp_path: Path, rows: list[list[Any]], said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read(write(tmp_path / "x.xlsx", rows))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,question\n", "x.xlsx is no Excel workbook, whatever its name says; save it as .xlsx"),
        (b"PK\x03\x04", "x.xlsx is no Excel workbook"),
        (b"", "x.xlsx is no Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 99, "is an old Excel workbook, or one with a password"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "x.xlsx")


@pytest.mark.parametrize(
    "lost", ["xl/workbook.xml", "[Content_Types].xml", "xl/worksheets/sheet1.xml"]
)
def test_a_damaged_workbook(tmp_path: Path, lost: str) -> None:
    path = write(tmp_path / "x.xlsx", [HEAD, ["q1", "?", 1]])
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for content in (None, b"<worksheet"):
        with ZipFile(path, "w") as archive:
            for name, found in {**parts, lost: content}.items():
                if found is not None:
                    archive.writestr(name, found)
        with pytest.raises(DatasetError, match="not readable as an Excel workbook: "):
            read(path)


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.xlsx", [HEAD])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: reading Excel workbooks needs the package openpyxl: install '.[excel]', or save "
        "the sheet as CSV (UTF-8)"
    )
