"""Gradings that call nobody, as a step makes them: stored also before its end.

Code of others may grade for hours: who is stopped, or killed, keeps what was graded.
"""

import time
from types import TracebackType
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import GRADINGS, arrow_schema
from itemeval_assets.storage.study.store import ResultsStore

from .ledger import book_free

# To store them writes a whole partition anew.
_EVERY_S = 30.0
# Columns take a tenth of the memory of rows.
_MOST_LOOSE = 10_000


class KeptGradings:
    """Rows of free gradings. Whoever leaves the block by an error has all of them stored.

    The output of the step stores them once more, and changes nothing by that.
    """

    def __init__(self, store: ResultsStore, run_id: str) -> None:
        self._store, self.run_id = store, run_id
        self._partition, self._loose = Partition(()), list[dict[str, Any]]()
        self._tables = [arrow_schema(GRADINGS).empty_table()]
        self._to_store: dict[Partition, list[pa.Table]] = {}
        self._counts: dict[Partition, int] = {}
        self._due = time.monotonic() + _EVERY_S

    def __enter__(self) -> "KeptGradings":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._keep()

    def add(self, partition: Partition, row: dict[str, Any]) -> None:
        """Take in a row; now and then, store what is not stored."""
        if partition != self._partition or len(self._loose) >= _MOST_LOOSE:
            self._gather()
        self._partition = partition
        self._loose.append(row)
        if time.monotonic() > self._due:
            self._keep()
            self._due = time.monotonic() + _EVERY_S

    def rows(self) -> pa.Table:
        """All rows."""
        self._gather()
        return pa.concat_tables(self._tables)

    def _gather(self) -> None:
        if self._loose:
            table = pa.Table.from_pylist(self._loose, schema=arrow_schema(GRADINGS))
            self._tables.append(table)
            self._to_store.setdefault(self._partition, []).append(table)
            self._loose = []

    def _keep(self) -> None:
        self._gather()
        for partition, tables in self._to_store.items():
            rows = pa.concat_tables(tables)
            self._store.upsert("gradings", partition, rows)
            self._counts[partition] = self._counts.get(partition, 0) + rows.num_rows
            book_free(self._store, self.run_id, partition, self._counts[partition])
        self._to_store = {}
