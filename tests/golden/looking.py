"""What lies in a folder or a bucket, as lines of text that compare and review well."""

import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

from .tokens import Tokens

__all__ = ["Objects", "Writer", "differences", "layout", "logs", "manifests", "to_json"]

# What the objects of a study are called, and what they hold.
Objects = Mapping[str, bytes]
Row = dict[str, Any]
# The tables of a study in the order in which their ids are named.
TABLES = (
    *("items", "log_index", "solutions", "gradings", "gradings_long"),
    *("ledger", "bookings", "replaced"),
)
# Their rows are in the order of ids that are drawn.
UNORDERED = ("ledger", "ledger.pq", "bookings", "replaced", "log_index")
# What runs leave that nobody reads as a result.
INTERNAL = ("/.locks/", "/logs/running/", "/scatter-gather/")
# A text of a row that is longer is told once.
LONG = 30


def layout(objects: Objects, tokens: Tokens) -> list[str]:
    """The names of all objects, those that nobody reads left out."""
    return sorted(tokens.text(key) for key in objects if not _is_internal(key))


def manifests(objects: Objects, tokens: Tokens) -> list[str]:
    """The manifests in the order of their runs: the first in full, then what is another."""
    lines, before = [], {}
    found = {key: json.loads(objects[key]) for key in objects if key.startswith("manifests/")}
    # Two runs of one command and stage have one name.
    for key in sorted(found, key=lambda key: (tokens.text(key), tokens.sortable(found[key]))):
        document = tokens.value(found[key])
        lines.append(to_json({"manifest": tokens.text(key), "keys": " ".join(document)}))
        lines += [
            to_json({name: value})
            for name, value in document.items()
            if name not in before or before[name] != value
        ]
        before = document
    return lines


def logs(objects: Objects, tokens: Tokens) -> list[str]:
    """What each log says of itself, and the cells that it has."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for key in (key for key in objects if key.endswith(".eval")):
            path = Path(folder) / "a.eval"
            path.write_bytes(objects[key])
            found.append({"log": key, **_log_facts(path)})
    found = [tokens.value(facts) for facts in sorted(found, key=tokens.sortable)]
    return [to_json(row) for row in differences(found)]


def _log_facts(path: Path) -> dict[str, Any]:
    header = read_eval_log(str(path), header_only=True)
    samples = read_eval_log_sample_summaries(str(path))
    return {
        "status": header.status,
        "task": header.eval.task,
        "model": header.eval.model,
        **(header.eval.metadata or {}),
        "usage": [
            [model, usage.model_dump(exclude_none=True)]
            for model, usage in header.stats.model_usage.items()
        ],
        "cells": sorted([str(one.id), one.epoch, str(one.error)] for one in samples),
    }


def _is_internal(key: str) -> bool:
    return key.endswith(".lock") or any(part in f"/{key}" for part in INTERNAL)


class Writer:
    """Lines of objects. What is said once of a table or a document is not said again.

    `schemas`: of tables by their names, to which those that are new are added; they are of all
    scenes, and told where they differ from that.
    """

    def __init__(self, tokens: Tokens, schemas: dict[str, str]) -> None:
        self.schemas = schemas
        self._tokens = tokens
        self._lines: list[str] = []
        self._contents: dict[str, str] = {}
        self._rows: dict[str, list[Row]] = {}
        self._texts: dict[str, str] = {}

    def lines(self, objects: Objects) -> list[str]:
        """The contents of all tables and documents; not those of logs and manifests."""
        self._lines = []
        for key in sorted(objects, key=lambda key: self._order(key, objects[key])):
            if not _is_internal(key) and not key.endswith(".eval") and "manifests/" not in key:
                self._add(key, objects[key])
        return self._lines

    def _order(self, key: str, content: bytes) -> Any:
        """Tables first, in the order in which their ids are named; CSV files after their tables.

        Files with ids for names by what they hold.
        """
        root = key.partition(".")[0].partition("/")[0]
        place = TABLES.index(root) if root in TABLES else len(TABLES)
        return place, key.endswith(".csv"), self._tokens.sortable(key), content[:100]

    def _add(self, key: str, content: bytes) -> None:
        name, end = self._tokens.text(key), key.rpartition(".")[2]
        if end in {"parquet", "pq"}:
            self._table(key, name, pq.read_table(io.BytesIO(content)))
        elif end == "csv":
            self._csv(key, name, content)
        elif end == "gif":
            self._document(name, [content.hex()])
        else:
            self._document(name, [*_document_lines(end, content, self._tokens)])

    def _document(self, name: str, lines: Sequence[str]) -> None:
        known = self._contents.setdefault("\n".join(lines), name)
        if known == name:
            self._lines += [to_json({"object": name}), *lines]
        else:
            self._lines.append(to_json({"object": name, "equals": known}))

    def _table(self, key: str, name: str, table: pa.Table) -> None:
        # A table in parts has one name, a published frame that of its file: the rows of all.
        is_published = key.endswith(".pq") or "/data/" in key
        root = key.rpartition("/")[2] if is_published else key.partition(".parquet")[0]
        schema = to_json(self._tokens.value(_schema(table)))
        found = table.to_pylist()
        if root in UNORDERED:
            found.sort(key=self._tokens.sortable)
        rows = [self._row(row) for row in found]
        self._lines.append(to_json({"object": name, "rows": len(rows), **_says(table)}))
        if self.schemas.setdefault(root, schema) != schema:
            self._lines.append(schema)
        self._add_rows(root, rows)

    def _csv(self, key: str, name: str, content: bytes) -> None:
        """The names of columns, and which values have quotes; then the rows."""
        frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        found, is_unordered = frame.to_dict("records"), Path(key).stem in UNORDERED
        if is_unordered:
            found.sort(key=self._tokens.sortable)
        rows = [self._row(row) for row in found]
        self._lines.append(to_json({"object": name, "rows": len(rows)}))
        head, _, text = content.decode("utf-8").partition("\n")
        quotes = re.sub(r"[^,\"\n]", "", re.sub(r'"(?:[^"]|"")*"', '"', text)).splitlines()[:1]
        self._lines += [head, *([] if is_unordered else quotes)]
        self._add_rows(key, rows)

    def _row(self, row: Mapping[Any, Any]) -> Row:
        return {str(name): self._tokens.value(value, str(name)) for name, value in row.items()}

    def _add_rows(self, root: str, rows: list[Row]) -> None:
        """Where they are rows of a table that has been told: which of them, in which order."""
        for known, others in self._rows.items():
            places = {_comparable(row): n for n, row in enumerate(others)}
            order = [n for row in rows if (n := places.get(_comparable(row))) is not None]
            if known != root and rows and len(order) == len(rows):
                self._lines.append(to_json({"rows of": known, "in order": _ranges(order)}))
                return
        before = self._rows.setdefault(root, [])
        found = differences([*before[-1:], *rows])[len(before[-1:]) :]
        self._lines += [to_json({k: self._short(v) for k, v in row.items()}) for row in found]
        before += rows

    def _short(self, value: Any) -> Any:
        """A long text is told in full once."""
        if not isinstance(value, str) or len(value) < LONG:
            return value
        if value in self._texts:
            return self._texts[value]
        self._texts[value] = f"<{len(self._texts) + 1}: {value[:12]}>"
        return value


def differences(rows: Sequence[Row]) -> list[Row]:
    """Of each row the values that are others than in the row above."""
    found, above = [], {}
    for row in rows:
        found.append({k: v for k, v in row.items() if k not in above or above[k] != v})
        above = row
    return found


def _document_lines(end: str, content: bytes, tokens: Tokens) -> Iterator[str]:
    if end in {"json", "yml", "yaml"}:
        document = json.loads(content) if end == "json" else yaml.safe_load(content)
        yield to_json(tokens.value(document))
    else:
        yield from tokens.text(content.decode("utf-8", "replace")).splitlines()


def _schema(table: pa.Table) -> Row:
    """Columns with their types, and how pandas sees them."""
    pandas = json.loads((table.schema.metadata or {}).get(b"pandas", b"null"))
    found: Row = {"columns": [f"{field.name}: {field.type}" for field in table.schema]}
    if pandas:
        found["index"] = pandas["index_columns"]
        found["numpy"] = [f"{part['name']}: {part['numpy_type']}" for part in pandas["columns"]]
    return found


def _says(table: pa.Table) -> Row:
    """What a file says of itself, with the name and the version of its table."""
    said = table.schema.metadata or {}
    return {key.decode(): value.decode() for key, value in said.items() if key != b"pandas"}


def _comparable(row: Row) -> str:
    """The same for a row in Parquet and in CSV."""
    return to_json([_cell(value) for value in row.values()])


def _cell(value: Any) -> Any:
    """What a cell of a CSV file says; a text that looks like a number is taken for one."""
    if not isinstance(value, str):
        return value
    if value in {"", "TRUE", "FALSE"}:
        return {"": None, "TRUE": True, "FALSE": False}[value]
    try:
        return json.loads(value) if value[0] in "-0123456789" else value
    except ValueError:
        return value


def _ranges(order: Sequence[int]) -> str:
    """`0-3, 7`: numbers of rows, those that follow each other together."""
    found: list[list[int]] = []
    for n in order:
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
