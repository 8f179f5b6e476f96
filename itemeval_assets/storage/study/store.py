"""The results store: tables of one study, read and upserted by partition."""

import io
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import (
    BOOKINGS,
    ITEMS,
    LEDGER,
    REPLACED,
    TABLES,
    arrow_schema,
)
from itemeval_assets.core.tables.upsert import Upserted, upsert
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.storage.objects.backends import Backend, open_backend
from itemeval_assets.storage.own_files import data_files

from . import layout
from .locks import claimed
from .own_rows import foreign_rows

_NAMED = 3  # columns in a message


def open_store(study: Study) -> "ResultsStore":
    """The store of a study. Raises StoreError when the directory belongs to another config."""
    store = ResultsStore(open_backend(study.location), study.name)
    store.require_owner(study)
    return store


class ResultsStore:
    """Tables under one study directory. Every write enforces the table's schema."""

    def __init__(self, backend: Backend, study_name: str) -> None:
        self.backend = backend
        self.study_name = study_name

    def read(
        self,
        table: str,
        partitions: Iterable[Partition] | None = None,
        columns: list[str] | None = None,
    ) -> pa.Table:
        """The rows of the given partitions (default: all), in file order.

        A partition without a file has no rows. Raises StoreError for an unreadable file.
        """
        if partitions is None:
            keys = self.keys(table)
        else:
            keys = [layout.table_key(table, partition) for partition in partitions]
        none = _schema(table, columns).empty_table()
        return pa.concat_tables([none, *self._tables(table, keys, columns)])

    def read_each(
        self, table: str, partitions: Iterable[Partition], columns: list[str] | None = None
    ) -> Iterator[pa.Table]:
        """The rows of one partition after the other; not all are ever in memory."""
        keys = [layout.table_key(table, partition) for partition in partitions]
        return self._tables(table, keys, columns)

    def _tables(self, table: str, keys: list[str], columns: list[str] | None) -> Iterator[pa.Table]:
        for key, data in zip(keys, self._objects(table, keys), strict=True):
            yield self._decode(table, key, data, columns)

    def upsert(self, table: str, partition: Partition, rows: pa.Table) -> Upserted:
        """Merge `rows` into a partition, atomically, by the rule of `core.upsert`.

        Rows of solutions and gradings that lose are kept in `replaced`, where their cost
        stays known. Writing that first means that a crash in between forgets no dollar.
        """
        result: Upserted | None = None

        def merge(data: bytes | None) -> bytes | None:
            nonlocal result
            stored = self._decode(table, key, data, None)
            result = upsert(TABLES[table], stored, self._conform(table, rows))
            if table in ("solutions", "gradings") and result.replaced.num_rows:
                self.upsert("replaced", partition, replaced_rows(partition, result.replaced))
            return None if data is not None and result.rows.equals(stored) else _encode(result.rows)

        key = layout.table_key(table, partition)
        self.backend.update(key, merge)
        assert result is not None
        return result

    def replace(self, table: str, partition: Partition, rows: pa.Table) -> None:
        """Write a derived partition anew: its rows are a function of other tables."""
        data = _encode(self._conform(table, rows))
        self.backend.update(layout.table_key(table, partition), lambda _: data)

    def derive(self, table: str, make: Callable[[pa.Table | None], pa.Table]) -> None:
        """Write a table of one file anew as `make(stored rows, null: no file)`.

        Whatever another process stores before it derives the table, too, is seen by `make`: it
        is called again where somebody was faster.
        """

        def rewrite(data: bytes | None) -> bytes | None:
            stored = None if data is None else self._decode(table, key, data, None)
            rows = self._conform(table, make(stored))
            return None if stored is not None and rows.equals(stored) else _encode(rows)

        key = layout.table_key(table)
        self.backend.update(key, rewrite)

    def partitions(self, table: str) -> list[Partition]:
        """The partitions that have a file, whether or not the design still has them."""
        return [layout.partition_of(table, key) for key in self.keys(table)]

    def keys(self, table: str) -> list[str]:
        if table in (ITEMS.name, LEDGER.name):
            return [layout.table_key(table)]
        found = self.backend.list(layout.table_folder(table))
        if table == BOOKINGS.name:
            older = self.backend.list(layout.OLDER_BOOKINGS)
            found = sorted({*found, *map(_key_from_older, older)})
        return data_files(found, ".parquet")

    def _objects(self, table: str, keys: list[str]) -> Iterator[bytes | None]:
        """The files of a table; of bookings also those that lie as an older layout has them."""
        for key, data in zip(keys, self.backend.read_many(keys), strict=True):
            if data is not None or table != BOOKINGS.name:
                yield data
                continue
            older = _key_in_older(key)
            # In this layout a file lies where the older one has a folder: nothing is read below it.
            found = self.backend.read(older) if self.backend.exists(older) else None
            # Somebody may have moved it to its new place meanwhile.
            yield found or self.backend.read(key)

    def has(self, table: str, partition: Partition = layout.WHOLE) -> bool:
        """Whether a partition has a file."""
        return self.backend.exists(layout.table_key(table, partition))

    def has_results(self) -> bool:
        """Whether any cell was ever called or graded; a preflight fills none."""
        tables = ("log_index", "solutions", "gradings")
        return any(partition for table in tables for partition in self.partitions(table))

    def uri(self, table: str, partition: Partition = layout.WHOLE) -> str:
        return self.backend.uri(layout.table_key(table, partition))

    def read_json(self, key: str) -> dict[str, Any] | None:
        """A JSON document of the study, or None. Raises StoreError when it is not JSON."""
        data = self.backend.read(key)
        return None if data is None else self._parse_json(key, data)

    def update_json(self, key: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change a JSON document atomically; a missing one starts as {}."""

        def rewrite(data: bytes | None) -> bytes:
            document = change({} if data is None else self._parse_json(key, data))
            return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

        self.backend.update(key, rewrite)

    @contextmanager
    def claimed(
        self, partitions: list[Partition], holder: str, on_wait: Callable[[Partition, str], None]
    ) -> Iterator[None]:
        """Hold the sole right to make the calls of these partitions."""
        with claimed(self.backend, partitions, holder, on_wait):
            yield

    def require_owner(self, study: Study) -> None:
        """Raise StoreError when the study directory was begun by another config file."""
        owner = self.read_json(layout.STUDY_FILE)
        if owner is None:
            if self.backend.exists(layout.table_folder("solutions")):
                raise StoreError(
                    f"{study.location} holds results of itemeval, whose tables are single files; "
                    "give this study another `study:` name or `output_dir:`"
                )
            return
        if not all(isinstance(owner.get(name), str) for name in ("schema", "config")):
            raise self.damaged(layout.STUDY_FILE, "does not say which config owns the results")
        known = {layout.LAYOUT_VERSION, *layout.OLDER_LAYOUTS}
        if owner["schema"] not in known:
            raise StoreError(
                f"{study.location} has table schema {owner['schema']!r}, this version reads "
                f"{sorted(known)}; use the version of itemeval-assets that wrote it"
            )
        if owner.get("config") != _config_from(study):
            raise StoreError(
                f"{study.location} was made by another config: {owner.get('config')} "
                f"(seen from there), not {study.config_path}.\n"
                "Give this study another `study:` name or `output_dir:`; if you renamed the "
                f"config, correct `config` in {self.backend.uri(layout.STUDY_FILE)}"
            )

    def require_layout(self) -> None:
        """Raise StoreError where a folder lies in the place of a file, or a file in a folder's.

        It would be read as if there were no rows, and their calls be made again.
        """
        for key, is_file in self.backend.walk():
            wanted = layout.is_file(key)
            if wanted is None or wanted == is_file:
                continue
            if key == layout.OLDER_BOOKINGS and self.is_older():
                continue
            found, place = ("file", "folder") if is_file else ("folder", "file")
            raise StoreError(
                f"{self.backend.uri(key)}: a {found} lies where a {place} belongs; move it away, "
                f"and restore the {place} from a copy, if there is one. Nothing was changed"
            )

    def is_owned(self) -> bool:
        """Whether the study directory holds results of a config, which then owns it."""
        return self.backend.exists(layout.STUDY_FILE)

    @contextmanager
    def beginning(self, study: Study, holder: str) -> Iterator[None]:
        """The first items of a study are stored while the block runs, by one config at a time.

        Nobody owns the directory by that: a config whose first run is refused leaves it to others.
        """
        if self.is_owned():
            self.require_owner(study)
            yield
            return
        with self.backend.lock("beginning", holder):
            pins = not self.backend.exists(layout.DATASET_LOCKS)
            config = _config_from(study)
            self.update_json(
                layout.BEGINNING,
                lambda known: {"config": config, "made_pins": known.get("made_pins", pins)},
            )
            yield

    def has_loose_pins(self) -> bool:
        """Whether a first run pinned the data that has brought no results so far."""
        return self._begun().get("made_pins", False) and not self.is_owned()

    def _begun(self) -> dict[str, Any]:
        """Who stored the items last, while nobody owns the directory; {} where nobody has."""
        begun = self.read_json(layout.BEGINNING) or {}
        kinds = {"config": str, "made_pins": bool}
        if any(not isinstance(begun.get(name, kind()), kind) for name, kind in kinds.items()):
            raise self.damaged(layout.BEGINNING, "does not say which config began")
        return begun

    def take_ownership(self, study: Study) -> None:
        """Mark the study directory as this config's, once: before its first call.

        Raises StoreError where another config owns it, or has stored its items in the meantime.
        """
        if not self.is_owned():
            with self.backend.lock("beginning", study.config_path.name):
                begun_by = self._begun().get("config")
                if begun_by not in (None, _config_from(study)):
                    raise StoreError(
                        f"another config began in {study.location} at the same time: {begun_by} "
                        "(seen from there).\nNo call was made. Give this study another `study:` "
                        "name or `output_dir:`, or run it again"
                    )
                self._mark(study)
                self.backend.delete(layout.BEGINNING)
        self.require_owner(study)

    def _mark(self, study: Study) -> None:
        mark = {
            "study": study.name,
            "config": _config_from(study),
            "schema": layout.LAYOUT_VERSION,
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.update_json(layout.STUDY_FILE, lambda document: document or mark)

    def is_older(self) -> bool:
        """Whether the study directory still lies as an earlier version wrote it."""
        owner = self.read_json(layout.STUDY_FILE)
        return owner is not None and owner.get("schema") in layout.OLDER_LAYOUTS

    def bring_up_to_date(self, finish: Callable[[], object]) -> None:
        """Bring an older study directory to the layout of this version; `finish` ends it.

        At any moment the tables can be read. Who is killed meanwhile leaves the rest to the next.
        """
        with self.backend.lock("layout", f"upgrade-{uuid.uuid4().hex}"):
            if not self.is_older():
                return
            self.backend.move_folder(layout.OLDER_BOOKINGS, layout.table_folder(BOOKINGS.name))
            finish()
            self.update_json(
                layout.STUDY_FILE, lambda mark: {**mark, "schema": layout.LAYOUT_VERSION}
            )

    def _parse_json(self, key: str, data: bytes) -> dict[str, Any]:
        try:
            document = load_json(data)
        except ValueError as error:
            raise self.damaged(key, f"is not valid JSON: {error}") from error
        if not isinstance(document, dict):
            raise self.damaged(key, "is no JSON object")
        return document

    def damaged(self, key: str, what: str) -> StoreError:
        """The error for a JSON document of another shape; says what deleting it means."""
        meaning = layout.IF_DELETED.get(key)
        deleted = f", or delete it: {meaning}" if meaning else ""
        return StoreError(f"{self.backend.uri(key)} {what}; restore it from a copy{deleted}")

    def _conform(self, table: str, rows: pa.Table) -> pa.Table:
        schema = arrow_schema(TABLES[table])
        try:
            conformed = rows.select(schema.names).cast(schema)
            for field in schema:
                if not field.nullable and conformed[field.name].null_count:
                    raise StoreError(f"column {field.name!r} may not be null")
            return conformed
        except (KeyError, pa.ArrowException, ValueError, StoreError) as error:
            raise StoreError(f"table {table} of {self.study_name} refuses rows: {error}") from error

    def _decode(
        self, table: str, key: str, data: bytes | None, columns: list[str] | None
    ) -> pa.Table:
        schema = _schema(table, columns)
        if data is None:
            return schema.empty_table()
        try:
            with pq.ParquetFile(pa.BufferReader(data)) as file:
                stored = file.schema_arrow.names
                _require_columns(table, stored)
                if foreign := foreign_rows(table, key, file):
                    raise StoreError(
                        f"{self.backend.uri(key)} holds rows of another partition: {foreign}.\n"
                        "Nothing was changed. Restore the file from a copy, or move it away: "
                        f"{layout.IF_PARTITION_DELETED}"
                    )
                # Threads of Arrow that outlive the interpreter abort the process at its end.
                found = file.read([n for n in schema.names if n in stored], use_threads=False)
            return _with_missing_columns(found, schema)
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            meaning = layout.IF_DELETED.get(key, layout.IF_PARTITION_DELETED)
            raise StoreError(
                f"{self.backend.uri(key)} is not a readable {table} table: {reason}.\n"
                f"Nothing was changed. Restore the file from a copy, or delete it: {meaning}"
            ) from error


def _key_in_older(key: str) -> str:
    return key.replace(layout.table_folder(BOOKINGS.name), layout.OLDER_BOOKINGS, 1)


def _key_from_older(key: str) -> str:
    return key.replace(layout.OLDER_BOOKINGS, layout.table_folder(BOOKINGS.name), 1)


def _schema(table: str, columns: list[str] | None) -> pa.Schema:
    """What is read of a table. A file keeps the table's name and schema version, once rewritten."""
    schema = arrow_schema(TABLES[table])
    return pa.schema([schema.field(name) for name in columns or schema.names], schema.metadata)


def _require_columns(table: str, stored: Collection[str]) -> None:
    """Raise ValueError for a file of another table, whichever of its columns are asked for."""
    schema = arrow_schema(TABLES[table])
    missing = [field.name for field in schema if not field.nullable and field.name not in stored]
    if missing:
        named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        raise ValueError(f"it has no {named}, as every {table} table has; is it another table?")


def _with_missing_columns(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns that are younger than the file are null."""
    for field in schema:
        if field.name not in found.column_names:
            found = found.append_column(field, pa.nulls(found.num_rows, field.type))
    return found.select(schema.names).cast(schema)


def replaced_rows(partition: Partition, lost: pa.Table) -> pa.Table:
    """Rows of `replaced` for rows of solutions or gradings that an upsert dropped."""
    schema = arrow_schema(REPLACED)
    constants = partition.columns
    columns = [
        pa.array([constants[field.name]] * lost.num_rows, field.type)
        if field.name in constants
        else lost[field.name]
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _encode(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()


def _config_from(study: Study) -> str:
    """What tells the config that owns a study directory from others.

    Its path seen from there, which stays true when a project is moved. A bucket is shared by
    machines that keep the config where they like: there, its name.
    """
    if study.is_remote:
        return study.config_path.name
    return Path(os.path.relpath(study.config_path, study.location)).as_posix()
