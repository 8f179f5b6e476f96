"""Loads the benchmark's datasets, pins their revisions, and maps columns to items."""

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
from huggingface_hub import HfApi

from itemeval_assets.core.conditions import canonical_json
from itemeval_assets.core.config import BenchmarkConfig, DatasetConfig, MappingConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.secrets import without_secrets
from itemeval_assets.core.text import well_formed

__all__ = ["load_items", "local_path", "resolve_revision"]

Row = dict[str, Any]
LONGEST_CSV_FIELD = 2**31 - 1  # instead of 131,072 characters: items may be whole documents
COMMIT = re.compile("[0-9a-f]{40}")
LOCAL_FORMATS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}


def resolve_revision(dataset: DatasetConfig, adapter: str, base: Path) -> str:
    """The exact version a dataset has now.

    A hub dataset: the commit its revision (default: main) points to. Local data: the first
    40 hex of the sha256 of the content. Raises DatasetError when it cannot be found, or when
    `revision` names another version of local data.
    """
    path = local_path(dataset, adapter, base)
    if path is not None:
        found = _content_hash(path)
        if dataset.revision is not None and not found.startswith(dataset.revision):
            raise DatasetError(
                f"benchmark.datasets: {dataset.id!r} is local data, which has no revision but the "
                f"hash of its content, {found}; `revision` says {dataset.revision!r}: remove it, "
                "or restore the data"
            )
        return found
    if dataset.revision is not None and COMMIT.fullmatch(dataset.revision):
        return dataset.revision
    try:
        sha = HfApi().dataset_info(dataset.id, revision=dataset.revision).sha
    except Exception as error:  # the hub's client raises many kinds, all meaning: not found
        raise DatasetError(
            f"benchmark.datasets: cannot resolve {dataset.id!r} on the hub: {_first_line(error)}. "
            "Check the id and the network, or give a local folder"
        ) from error
    if not sha:
        raise DatasetError(f"benchmark.datasets: the hub names no commit for {dataset.id!r}")
    return sha


def load_items(benchmark: BenchmarkConfig, revisions: Mapping[str, str], base: Path) -> list[Row]:
    """The items of all datasets, in order, without `created_at`.

    `revisions` are by dataset id. Raises DatasetError for an unreadable dataset, a column
    that is not there, an empty input, or an item id that stands twice.
    """
    items: list[Row] = []
    for dataset in benchmark.datasets:
        revision = revisions[dataset.id]
        for index, record in enumerate(_records(dataset, benchmark.adapter, revision, base)):
            items.append(_item(record, index, benchmark.mapping, dataset.id, revision))
    _refuse_repeated_ids(items)
    return items


def local_path(dataset: DatasetConfig, adapter: str, base: Path) -> Path | None:
    """Where a dataset lies on this disk; None for a hub id. Raises DatasetError if it is gone."""
    path = (base / Path(dataset.id).expanduser()).resolve()
    if adapter == "hf":
        return path if path.is_dir() else None
    if not path.is_file():
        raise DatasetError(
            f"benchmark.datasets: {dataset.id!r} is no file ({path}); "
            "paths are relative to the config file"
        )
    if path.suffix not in LOCAL_FORMATS:
        known = ", ".join(LOCAL_FORMATS)
        raise DatasetError(f"benchmark.datasets: {dataset.id!r}: adapter `local` reads {known}")
    return path


def _records(
    dataset: DatasetConfig, adapter: str, revision: str, base: Path
) -> Iterable[Mapping[str, Any]]:
    path = local_path(dataset, adapter, base)
    try:
        rows = _load(dataset, path, revision)
    except DatasetError:
        raise
    except Exception as error:  # whatever the parsers of the `datasets` library raise
        raise DatasetError(
            f"benchmark.datasets: cannot load {dataset.id!r} (split {dataset.split!r}): "
            f"{_first_line(error)}"
        ) from error
    return rows if dataset.limit is None else rows[: dataset.limit]


def _load(dataset: DatasetConfig, path: Path | None, revision: str) -> list[Any]:
    if path is None:
        return list(
            datasets.load_dataset(
                dataset.id, name=dataset.name, split=dataset.split, revision=revision
            )
        )
    if path.is_dir() and (path / "dataset_dict.json").exists():
        return list(datasets.load_from_disk(str(path))[dataset.split])
    if path.is_dir() and (path / "state.json").exists():
        return list(datasets.load_from_disk(str(path)))
    if path.is_dir():
        return list(datasets.load_dataset(str(path), name=dataset.name, split=dataset.split))
    return _read_file(path)


def _read_file(path: Path) -> list[Any]:
    """Rows of a local file, values as they are: no cache, and no guessing of types over rows."""
    if path.suffix == ".jsonl":
        # Not splitlines(): U+2028 and its like may stand in a JSON string.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        return [
            _json_row(line, number, path) for number, line in enumerate(lines, 1) if line.strip()
        ]
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DatasetError(f"{path}: expected a JSON list of objects, one per item")
        return rows
    if path.suffix == ".csv":
        return _read_csv(path)
    return pq.read_table(path).to_pylist()


def _read_csv(path: Path) -> list[Any]:
    usual = csv.field_size_limit(LONGEST_CSV_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    finally:
        csv.field_size_limit(usual)


def _json_row(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DatasetError(f"{path}, line {number}: not valid JSON: {error}") from error
    if not isinstance(row, dict):
        raise DatasetError(f"{path}, line {number}: expected a JSON object, one per item")
    return row


def _item(
    record: Mapping[str, Any], index: int, mapping: MappingConfig, dataset: str, revision: str
) -> Row:
    def column(name: str, path: str) -> Any:
        if name not in record:
            raise DatasetError(
                f"benchmark.mapping.{path}: dataset {dataset!r} has no column {name!r}; "
                f"it has {', '.join(map(str, record))}"
            )
        return record[name]

    item_id = _item_id(mapping, index, dataset, column)
    if not item_id.strip():
        raise DatasetError(
            f"benchmark.mapping.id: dataset {dataset!r}, row {index + 1}: the id is empty"
        )
    text = _text(column(mapping.input, "input"))
    if not text.strip():
        raise DatasetError(
            f"benchmark.mapping.input: dataset {dataset!r}, item {item_id!r}: "
            f"column {mapping.input!r} is empty"
        )
    scheme = column(mapping.grading_scheme, "grading_scheme") if mapping.grading_scheme else None
    return {
        "item_id": item_id,
        "dataset_id": dataset,
        "dataset_revision": revision,
        "input": text,
        "target": _text(column(mapping.target, "target")) if mapping.target else "",
        "grading_scheme": None if scheme is None else _text(scheme),
        "metadata_json": well_formed(
            canonical_json({name: _plain(column(name, "metadata")) for name in mapping.metadata})
        ),
    }


def _item_id(mapping: MappingConfig, index: int, dataset: str, column: Any) -> str:
    """The mapped id: one column, several joined by `:`, a pattern, or else the row number."""
    if mapping.id is None:
        return str(index)
    if isinstance(mapping.id, list):
        return ":".join(_text(column(name, "id")) for name in mapping.id)
    if "{" not in mapping.id:
        return _text(column(mapping.id, "id"))
    return re.sub(
        r"\{([^{}]+)\}",
        lambda match: dataset if match[1] == "dataset" else _text(column(match[1], "id")),
        mapping.id,
    )


def _text(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    return well_formed(plain if isinstance(plain, str) else canonical_json(plain))


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: dates and the like become text, NaN and infinities null."""
    return json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)


def _refuse_repeated_ids(items: list[Row]) -> None:
    first: dict[str, str] = {}
    for item in items:
        if item["item_id"] in first:
            raise DatasetError(
                f"benchmark.mapping.id: item id {item['item_id']!r} stands in dataset "
                f"{first[item['item_id']]!r} and again in {item['dataset_id']!r}; "
                'make ids unique, for instance with id: "{dataset}:{id}"'
            )
        first[item["item_id"]] = item["dataset_id"]


def _content_hash(path: Path) -> str:
    """First 40 hex of the sha256 of a file, or of the names and contents in a folder."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()[:40]
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        digest.update(file.relative_to(path).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:40]


def _first_line(error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return without_secrets(line, os.environ)
