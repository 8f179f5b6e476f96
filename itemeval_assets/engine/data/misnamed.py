"""Tells files that are not what their names say."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.strict_json import load_json

_AS_CSV = "save it as CSV (UTF-8)"
# How a file begins, what it is, and what to do.
_BEGINNINGS = {
    b"PK\x03\x04": (
        "an Excel workbook, or another zip archive",
        f"rename it to .xlsx, or {_AS_CSV}",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _AS_CSV),
    b"PAR1": ("a Parquet file", "rename it to .parquet"),
    b"\x1f\x8b": ("compressed with gzip", "unpack it"),
}
_DELIMITERS = ",;\t|"
_SHOWN = 5
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def refuse_other_kinds(path: Path, data: bytes, encoding: str | None) -> None:
    """Raise DatasetError for a file of text that is something else, or is in UTF-16 untold."""
    for beginning, (kind, advice) in _BEGINNINGS.items():
        if data.startswith(beginning):
            raise DatasetError(f"{path} is {kind}, whatever its name says; {advice}")
    if encoding is None and data.startswith(_UTF_16):
        is_csv = path.suffix.lower() == ".csv"
        advice = (
            "set `encoding: utf-16` for the dataset"
            if is_csv
            else "save the file in UTF-8, which JSON requires"
        )
        raise DatasetError(f"{path} is in UTF-16; {advice}")


def refuse_list(path: Path, text: str) -> None:
    """Raise DatasetError for JSON lines that are one list."""
    rows = _value(text) if text.lstrip().startswith("[") else None
    if rows and isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        raise DatasetError(
            f"{path} holds one JSON list, not an object per line; {_renamed('json')}"
        )


def refuse_csv(path: Path, text: str) -> None:
    """Raise DatasetError for JSON of which the first line is the header of a CSV file."""
    header = text.lstrip().partition("\n")[0]
    is_header = any(mark in header for mark in _DELIMITERS) and not header.startswith(("{", "["))
    if is_header and _value(header) is None:
        raise DatasetError(f"{path} looks like CSV, whatever its name says; {_renamed('csv')}")


def inner_list(found: object) -> str:
    """What to do where one object stands in the place of a list; empty where none does."""
    if not isinstance(found, dict):
        return ""
    names = list(found)
    shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
    lists = [name for name, value in found.items() if value and isinstance(value, list)]
    advice = (
        f"save the list that {lists[0]!r} holds as the file"
        if len(lists) == 1
        else "put [ and ] around it, if it is an item"
    )
    keys = "key" if len(names) == 1 else "keys"
    return f"; it is one object with the {keys} {shown or '(none)'}: {advice}"


def refuse_lines(path: Path, text: str) -> None:
    """Raise DatasetError for JSON that is an object per line."""
    lines = text.split("\n") if text.lstrip().startswith("{") else []
    rows = [_value(line) for line in lines[:2] if line.strip()]
    if len(rows) > 1 and all(isinstance(row, dict) for row in rows):
        raise DatasetError(
            f"{path} holds an object per line, not one JSON list; {_renamed('jsonl')}"
        )


def _renamed(suffix: str) -> str:
    return f"rename it to .{suffix}, here and in `benchmark.datasets`"


def _value(text: str) -> Any:
    """What a JSON text holds; None where it is none."""
    with suppress(ValueError):
        return load_json(text, dict)
    return None
