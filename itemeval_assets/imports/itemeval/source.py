"""Reads the folder of an itemeval study. It is never written to."""

import io
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import TABLES, Table, arrow_schema
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.layout import (
    DATASET_LOCKS,
    LOGS,
    STUDY_FILE,
    table_folder,
)

_NEEDED = ("items", "solutions", "log_index", "ledger")
# Columns of ours that itemeval does not write.
_OURS = {
    "solutions": ("served_model", "served_provider", "reroutes"),
    "gradings": (
        *("sample_uuid", "solution_hash", "scorer_version"),
        *("imported_condition_id", "imported_format", "served_model", "served_provider"),
        "solution_chars_not_shown",
        "item_rubric_hash",
    ),
    "ledger": ("reasoning_tokens",),
}
_LOG_INDEX = ("log_file", "run_id", "stage", "condition_id", "model")
# How often a row was asked before, 0 at first, and what that time is called.
WAVE, WAVE_LABEL = "wave", "wave_label"
# The conditions of a run, in its manifest.
GRIDS = ("grid_generate", "grid_grade")


class Source:
    """The tables and documents of an itemeval study. Raises StoreError for what is no such study.

    `location`: a folder, or an `s3://` URI.
    """

    def __init__(self, location: str) -> None:
        self.backend = open_backend(location)
        self.location = location
        self._require_study()
        self.items = self._table("items")
        self.solutions = self._table("solutions")
        self.ledger = self._table("ledger")
        self.log_index = self._read("log_index").select(list(_LOG_INDEX))
        indexed = self.log_index["stage"].to_pylist()
        self.gradings = (
            self._table("gradings")
            if self._has("gradings") or "grade" in indexed
            else _with_waves(arrow_schema(TABLES["gradings"]).empty_table(), {})
        )

    def _require_study(self) -> None:
        there = {key for key in self.backend.list("") if "/" not in key}
        if STUDY_FILE in there:
            raise StoreError(
                f"{self.location} is a study of itemeval-assets: run its config, it needs no import"
            )
        wanted = [table_folder(name) for name in _NEEDED]
        missing = [name for name in (*wanted, DATASET_LOCKS) if name not in there]
        if len(missing) == len(wanted) + 1:
            raise StoreError(
                f"{self.location} is no study of itemeval: name the folder that has its "
                f"{', '.join(wanted)}, such as studies/my_study. A folder of logs of inspect_ai "
                "comes into a study of the task that made its logs (`benchmark.adapter: inspect`, "
                "or `logs` without its code)"
            )
        if missing:
            raise StoreError(
                f"{self.location} is half an itemeval study: there is no {', '.join(missing)}. "
                "Restore it from a copy, or run `itemeval generate` to its end. Nothing was taken"
            )

    def _has(self, name: str) -> bool:
        return self.backend.exists(table_folder(name))

    def _read(self, name: str) -> pa.Table:
        place = self.backend.uri(table_folder(name))
        data = self.backend.read(table_folder(name))
        if data is None:
            raise StoreError(
                f"{self.location} is half an itemeval study: there is no {table_folder(name)}, and "
                "its log_index.parquet tells of such logs. Restore it from a copy"
            )
        try:
            return pq.read_table(io.BytesIO(data), use_threads=False).replace_schema_metadata()
        except (pa.ArrowException, OSError, ValueError) as error:
            why = str(error).splitlines()[0].rstrip(".")
            raise StoreError(
                f"{place} cannot be read: {why}. Restore it from a copy. Nothing was taken"
            ) from error

    def _table(self, name: str) -> pa.Table:
        """A table in our schema, with the columns of waves, where it is one of rows."""
        found, table = self._read(name), TABLES[name]
        ours = _OURS.get(name, ())
        lacking = [c for c in table.column_names if c not in (*found.column_names, *ours)]
        place = self.backend.uri(table_folder(name))
        if lacking:
            raise StoreError(
                f"{place} has no column {', '.join(lacking)}: itemeval 0.1 and 0.2 write it. Is it "
                "of another version? Nothing was taken"
            )
        try:
            rows = _conformed(found, table)
        except (pa.ArrowException, ValueError) as error:
            why = str(error).splitlines()[0].rstrip(".")
            raise StoreError(
                f"{place} is not as itemeval writes it: {why}. Nothing was taken"
            ) from error
        if name not in ("solutions", "gradings"):
            return rows
        there = {name: found[name] for name in (WAVE, WAVE_LABEL) if name in found.column_names}
        return _with_waves(rows, there)

    @cached_property
    def manifests(self) -> dict[str, dict[str, Any]]:
        """The manifests by run id. Raises StoreError for what is none."""
        found = {}
        for key in self.backend.list("manifests"):
            if key.endswith(".json"):
                document = self._json(key)
                if not _is_manifest(document):
                    place = self.backend.uri(key)
                    raise StoreError(
                        f"{place} is no manifest of itemeval. Restore it from a copy, or move it "
                        "away. Nothing was taken"
                    )
                found[document["run_id"]] = document
        return found

    @cached_property
    def pins(self) -> Mapping[str, Any]:
        """The pinned revisions of the datasets, by id."""
        document = self._json(DATASET_LOCKS)
        locks = document.get("datasets") if isinstance(document, dict) else None
        if not isinstance(locks, dict) or not all(
            isinstance(lock, dict) and isinstance(lock.get("revision"), str)
            for lock in locks.values()
        ):
            place = self.backend.uri(DATASET_LOCKS)
            raise StoreError(f"{place} names no revisions of datasets. Restore it from a copy")
        return locks

    @cached_property
    def logs(self) -> list[str]:
        """The keys of all logs that are there."""
        return [key for key in self.backend.list(LOGS) if key.endswith(".eval")]

    def version_of(self, run_id: str) -> str:
        """Which itemeval made a run."""
        version = self.manifests.get(run_id, {}).get("itemeval_version")
        return f"itemeval {version}" if version else "itemeval"

    def _json(self, key: str) -> Any:
        data = self.backend.read(key)
        try:
            return load_json(data or b"")
        except ValueError as error:
            place = self.backend.uri(key)
            raise StoreError(
                f"{place} is not valid JSON: {error}. Restore it from a copy. Nothing was taken"
            ) from error


def _with_waves(rows: pa.Table, there: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    """Rows with the columns of waves, which versions that know none do not write."""
    waves = there.get(WAVE, pa.nulls(rows.num_rows, pa.int64())).cast(pa.int64())
    labels = there.get(WAVE_LABEL, pa.nulls(rows.num_rows, pa.string())).cast(pa.string())
    with_waves = rows.append_column(WAVE, pc.fill_null(waves, 0))
    return with_waves.append_column(WAVE_LABEL, labels)


def _is_manifest(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("run_id"), str):
        return False
    grids = [document.get(name) or [] for name in GRIDS]
    return all(
        isinstance(grid, list)
        and all(
            isinstance(one, dict) and "id" in one and isinstance(one.get("payload"), dict)
            for one in grid
        )
        for grid in grids
    )


def _conformed(found: pa.Table, table: Table) -> pa.Table:
    """Rows in our schema: columns that are not there are null."""
    schema = arrow_schema(table)
    columns = []
    for field in schema:
        if field.name in found.column_names:
            columns.append(found[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(found.num_rows, field.type))
        if not field.nullable and columns[-1].null_count:
            raise ValueError(f"column {field.name} has rows without a value")
    return pa.table(columns, schema=pa.schema(list(schema)))
