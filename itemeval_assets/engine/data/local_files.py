"""Reads files of records: JSON lines, JSON and CSV here, Parquet and Excel by their modules.

Values stay as they are: there is no cache, and no guessing of types over rows. Whatever would be
read as something else than it was meant is refused, with the file, the line and what to do.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itemeval_assets.core.config.sections import DatasetConfig
from itemeval_assets.core.design.items.items import Record
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.strict_json import load_json

from .column_names import refuse_doubled
from .misnamed import inner_list, refuse_csv, refuse_lines, refuse_list, refuse_other_kinds
from .parquet_files import read_parquet
from .workbooks import read_workbook

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".xlsx")
_LINE_END = re.compile("\r\n?|\n")  # not splitlines(): U+2028 may stand in a JSON string
_LONGEST_CSV_FIELD = 2**31 - 1  # instead of 131,072 characters: items may be whole documents
_OTHER_DELIMITERS = (";", "\t", "|")


def read_file(path: Path, dataset: DatasetConfig) -> list[Record]:
    """The records of a file. Raises DatasetError."""
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        return _read_json_lines(path)
    if suffix == ".json":
        return _read_json(path)
    if suffix == ".csv":
        with _long_fields():
            return _read_csv(path, dataset)
    if suffix == ".xlsx":
        return read_workbook(path, dataset.name)
    return read_parquet(path)


def _read_json_lines(path: Path) -> list[Record]:
    text = _decoded(path, None)
    refuse_csv(path, text)
    refuse_list(path, text)
    found = [
        (f"line {number}", _json(line, f"{path}, line {number}"))
        for number, line in enumerate(_LINE_END.split(text), 1)
        if line.strip()
    ]
    for place, row in found:
        if not isinstance(row, dict):
            raise DatasetError(f"{path}, {place}: expected a JSON object, one per item")
    return [Record(place, row) for place, row in found]


def _read_json(path: Path) -> list[Record]:
    text = _decoded(path, None)
    refuse_csv(path, text)
    refuse_lines(path, text)
    rows = _json(text, str(path))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DatasetError(
            f"{path}: expected a JSON list of objects, one per item{inner_list(rows)}"
        )
    return [Record(f"row {number}", row) for number, row in enumerate(rows, 1)]


def _read_csv(path: Path, dataset: DatasetConfig) -> list[Record]:
    """The rows below the header. Columns without a name are left out: nothing can map them."""
    text = _decoded(path, dataset.encoding)
    if "\x00" in text:
        raise DatasetError(
            f"{path}, line {_line_of(text, text.index(chr(0)))}: holds a NUL character. The file "
            "is not a CSV file, or is in UTF-16: then set `encoding: utf-16` for the dataset"
        )
    lines = _csv_lines(text, path, dataset.delimiter or ",")
    line, header = next(lines, (0, []))
    where = f"{path}, line {line}"
    refuse_doubled(list(filter(None, header)), where)
    other = [mark for mark in _OTHER_DELIMITERS if len(header) == 1 and mark in header[0]]
    if other and dataset.delimiter is None:
        raise DatasetError(
            f"{where}: the header is one column, {header[0]!r}; if {other[0]!r} separates its "
            "cells, set `delimiter` for the dataset"
        )
    rows = []
    for line, cells in _without_empty_end(lines):
        if not any(cells):
            raise DatasetError(f"{path}, line {line}: the row is empty; fill it in, or remove it")
        if len(cells) != len(header):
            raise DatasetError(
                f"{path}, line {line}: has {len(cells)} cells, and the header {len(header)}; "
                "put quotes around a value that holds the delimiter, and give each column a cell"
            )
        rows.append(Record(f"line {line}", dict(zip(header, cells, strict=True))))
    return [Record(place, {k: v for k, v in row.items() if k}) for place, row in rows]


def _csv_lines(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where it begins, cells) of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            open_quote = "end of data" in str(error)
            what = "a quotation mark is never closed" if open_quote else str(error)
            raise DatasetError(
                f"{path}, row that begins in line {line}: {what}; write a quotation mark inside "
                'a value twice (""), and quotes around that value'
            ) from error
        if cells is None:
            return
        if cells:
            yield line, cells


def _without_empty_end(lines: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The rows, but the last ones that have nothing but delimiters, as spreadsheets write them."""
    rows = list(lines)
    while rows and not any(rows[-1][1]):
        rows.pop()
    return rows


@contextmanager
def _long_fields() -> Iterator[None]:
    usual = csv.field_size_limit(_LONGEST_CSV_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _decoded(path: Path, encoding: str | None) -> str:
    """The text of a file, without a mark of its byte order. `encoding` null: UTF-8."""
    data = path.read_bytes()
    refuse_other_kinds(path, data, encoding)
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = _line_of(data[:start].decode(encoding or "utf-8", "replace"), None)
        name, byte = encoding or "UTF-8", data[start : start + 1].hex()
        advice = (
            "set `encoding` for the dataset, for instance to cp1252"
            if path.suffix.lower() == ".csv"
            else "save the file in UTF-8, which JSON requires"
        )
        raise DatasetError(
            f"{path}, line {line}: byte {start + 1} of the file (0x{byte}) is no {name}; {advice}"
        ) from error


def _line_of(text: str, place: int | None) -> int:
    return len(_LINE_END.findall(text[:place])) + 1


def _json(text: str, where: str) -> Any:
    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        refuse_doubled([name for name, _ in pairs], where)
        return dict(pairs)

    try:
        return load_json(text, object_of)
    except json.JSONDecodeError as error:
        place = (
            f"at character {error.colno}" if error.lineno == 1 else f"in its line {error.lineno}"
        )
        raise DatasetError(f"{where}: not valid JSON: {error.msg} {place}") from error
    except ValueError as error:
        raise DatasetError(f"{where}: not valid JSON: {error}") from error
