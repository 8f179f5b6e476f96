"""The results store: tables of one study, read and upserted by partition."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import PAID, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import (
    BOOKINGS,
    ITEMS,
    LEDGER,
    REPLACED,
    TABLES,
    arrow_schema,
)
from itemeval_assets.core.tables.upsert import Upserted, upsert
from itemeval_assets.storage.objects.backends import Backend, open_backend
from itemeval_assets.storage.objects.kept import Kept
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.objects.together import together
from itemeval_assets.storage.own_files import data_files

from . import layout
from .directory import StudyDirectory
from .locks import claimed
from .table_files import conformed, decoded, encoded, schema_of

_MOST_BYTES_OF_ROWS = 2**25
_MOST_BYTES_OF_SMALL = 2**16
_MOST_ROWS_OF_SMALL = 1_000


def open_store(study: Study, *, look: bool = False) -> "ResultsStore":
    """The store of a study. Raises StoreError when the directory belongs to another config.

    `look`: it has looked already.
    """
    store = ResultsStore(open_backend(study.location), study.name)
    if look:
        store.look()
    store.require_owner(study)
    return store


class _Rows(NamedTuple):
    """What an object says as a table."""

    data: bytes
    table: pa.Table


class ResultsStore(StudyDirectory):
    """Tables under one study directory. Every write enforces the table's schema."""

    def __init__(self, backend: Backend, study_name: str) -> None:
        super().__init__(backend, study_name)
        self._rows = Kept[_Rows](_MOST_BYTES_OF_ROWS)

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
        none = schema_of(table, columns).empty_table()
        return pa.concat_tables([none, *self._tables(table, keys, columns)])

    def read_each(
        self, table: str, partitions: Iterable[Partition], columns: list[str] | None = None
    ) -> Iterator[pa.Table]:
        """The rows of one partition after the other; not all are ever in memory."""
        keys = [layout.table_key(table, partition) for partition in partitions]
        return self._tables(table, keys, columns)

    def _tables(self, table: str, keys: list[str], columns: list[str] | None) -> Iterator[pa.Table]:
        for key, data in zip(keys, self._objects(table, keys), strict=True):
            yield self._decoded(table, key, data, columns)

    def look(self) -> None:
        """Learn what there is now, with one request for a thousand objects of a bucket.

        Until the next look, tables are read as of now, and as this store writes them, and so is
        what `seen_json` reads. What `read_json` reads, and what the ledger is derived from, is
        always that of the moment.
        """
        self.backend.look()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look, for the block; a store that had not looked before reads the present afterwards."""
        had_looked = self.backend.has_looked
        self.backend.look()
        try:
            yield
        finally:
            if not had_looked:
                self.backend.look_away()

    def upsert_each(self, table: str, parts: Iterable[tuple[Partition, pa.Table]]) -> None:
        """Merge rows into several partitions; see `upsert`."""
        together(self.backend, lambda part: self.upsert(table, *part), parts)

    def upsert(self, table: str, partition: Partition, rows: pa.Table) -> Upserted:
        """Merge `rows` into a partition, atomically, by the rule of `core.upsert`.

        Rows of paid stages that lose are kept in `replaced`, where their cost
        stays known. Writing that first means that a crash in between forgets no dollar.
        """
        result: Upserted | None = None

        def merge(data: bytes | None) -> bytes | None:
            nonlocal result
            stored = self._decoded(table, key, data)
            result = upsert(TABLES[table], stored, self._conformed(table, rows))
            if table in PAID and result.replaced.num_rows:
                self.upsert("replaced", partition, replaced_rows(partition, result.replaced))
            return None if data is not None and result.rows.equals(stored) else encoded(result.rows)

        key = layout.table_key(table, partition)
        self.backend.update(key, merge, is_claimed=True)
        assert result is not None
        return result

    def withdraw(self, table: str, partition: Partition, item_ids: Collection[str]) -> int:
        """Take the rows of some items out of the table of a paid stage; how many there were.

        What they have cost is kept in `replaced` first, as of rows that lose in an upsert.
        """
        count = 0

        def without(data: bytes | None) -> bytes | None:
            nonlocal count
            stored = self._decoded(table, key, data)
            ids = pa.array(list(item_ids), pa.string())
            mask = pc.is_in(stored["item_id"], value_set=ids)  # type: ignore[attr-defined]
            lost = stored.filter(mask)
            count = lost.num_rows
            if not count:
                return None
            paid = lost.filter(lost["sample_uuid"].is_valid())
            self.upsert("replaced", partition, replaced_rows(partition, paid))
            return encoded(stored.filter(pc.invert(mask)))  # type: ignore[attr-defined]

        key = layout.table_key(table, partition)
        self.backend.update(key, without, is_claimed=True)
        return count

    def replace(self, table: str, partition: Partition, rows: pa.Table) -> None:
        """Write a derived partition anew: its rows are a function of other tables."""
        data = encoded(self._conformed(table, rows))
        self.backend.write(layout.table_key(table, partition), data)

    def replace_each(self, table: str, parts: Iterable[tuple[Partition, pa.Table]]) -> None:
        """Write several derived partitions anew."""
        together(self.backend, lambda part: self.replace(table, *part), parts)

    def derive(self, table: str, make: Callable[[pa.Table | None], pa.Table]) -> None:
        """Write a table of one file anew as `make(stored rows, null: no file)`.

        Whatever another process stores before it derives the table, too, is seen by `make`: it
        is called again where somebody was faster.
        """

        def rewrite(data: bytes | None) -> bytes | None:
            stored = None if data is None else self._decoded(table, key, data)
            with self.looking():
                rows = self._conformed(table, make(stored))
            return None if stored is not None and rows.equals(stored) else encoded(rows)

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
            yield found or next(self.backend.read_many([key]))

    def stats(self) -> dict[str, ObjectStat]:
        """What is known of all objects of the study that anything is made of.

        The notes of how it was left and how far it came are not among them, nor what only people
        read, nor sheets. It is a look, too.
        """
        folders = (f"{layout.SCORED_LOGS}/", f"{layout.RATINGS}/")
        apart = (layout.SETTLED, layout.PRECISION, layout.REPORT, *folders)
        return {
            key: stat for key, stat in self.backend.stats().items() if not key.startswith(apart)
        }

    def has(self, table: str, partition: Partition = layout.WHOLE) -> bool:
        """Whether a partition has a file."""
        return self.backend.exists(layout.table_key(table, partition))

    def has_results(self) -> bool:
        """Whether any cell was ever called or graded; a preflight fills none."""
        tables = ("log_index", *PAID)
        return any(partition for table in tables for partition in self.partitions(table))

    def uri(self, table: str, partition: Partition = layout.WHOLE) -> str:
        return self.backend.uri(layout.table_key(table, partition))

    @contextmanager
    def claimed(
        self, partitions: list[Partition], holder: str, on_wait: Callable[[Partition, str], None]
    ) -> Iterator[None]:
        """Hold the sole right to make the calls of these partitions while the block runs."""
        # The look is for what others wrote while they held them.
        with claimed(self.backend, partitions, holder, on_wait), self.looking():
            yield

    def _conformed(self, table: str, rows: pa.Table) -> pa.Table:
        return conformed(table, rows, self.study_name)

    def _decoded(
        self, table: str, key: str, data: bytes | None, columns: list[str] | None = None
    ) -> pa.Table:
        """The rows of a file. A small one is decoded once, as long as it stays as it is."""
        if data is None:
            return schema_of(table, columns).empty_table()
        uri = self.backend.uri(key)
        if len(data) > _MOST_BYTES_OF_SMALL:
            return decoded(table, key, data, columns, uri)
        kept = self._rows.get(key)
        if kept is not None and kept.data is data:
            return kept.table.select(columns) if columns else kept.table
        found = decoded(table, key, data, columns, uri, whole_to=_MOST_ROWS_OF_SMALL)
        if found.num_rows > _MOST_ROWS_OF_SMALL:
            return found
        self._rows.keep(key, _Rows(data, found), len(data) + found.nbytes)
        return found.select(columns) if columns else found


def _key_in_older(key: str) -> str:
    return key.replace(layout.table_folder(BOOKINGS.name), layout.OLDER_BOOKINGS, 1)


def _key_from_older(key: str) -> str:
    return key.replace(layout.OLDER_BOOKINGS, layout.table_folder(BOOKINGS.name), 1)


def replaced_rows(partition: Partition, lost: pa.Table) -> pa.Table:
    """Rows of `replaced` for rows of a paid stage that an upsert dropped."""
    schema = arrow_schema(REPLACED)
    constants = partition.columns
    columns = [
        pa.array([constants[field.name]] * lost.num_rows, field.type)
        if field.name in constants
        else lost[field.name]
        for field in schema
    ]
    return pa.table(columns, schema=schema)
