"""Dagster's history in SQLite, through connections that stay open while an instance does.

Dagster connects anew for each of the hundreds of events of a run, and for each look at a run, which
takes longer than to write or read them. The files are Dagster's own: its UI, daemon and commands
read them as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError
from typing import Any

from dagster import EventLogEntry
from dagster._core.definitions.partitions.subset import DefaultPartitionsSubset
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster_shared.record import copy
from sqlalchemy import Connection, Engine, create_engine, event

__all__ = ["HeldSqliteStorage", "held"]

BUSY_TIMEOUT_S = 60
# The index of all runs, and those of the runs in work; looking through many runs opens no more.
HELD_DATABASES = 8
# What makes the database of a run, in one transaction; known once this process has had one made.
_statements: list[str] = []
# Which migrations a database has had.
_REVISION = 'INTO "alembic_version"'


def held(ref: InstanceRef) -> InstanceRef:
    """The same instance, on connections that stay open; one that has no SQLite stays as it is."""
    data = ref.storage_data
    if data is None or data.class_name != DagsterSqliteStorage.__name__:
        return ref
    ours = ConfigurableClassData(__name__, HeldSqliteStorage.__name__, data.config_yaml)
    return ref._replace(storage_data=ours)


class HeldSqliteStorage(DagsterSqliteStorage):
    """DagsterSqliteStorage, whose runs and event log hold their connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        with _each_connection_quick():
            super().__init__(base_dir, inst_data)
        self._run_storage = _HeldRuns(self._run_storage._conn_string)
        self._event_log_storage = _HeldEventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Any:
        return cls(config_value["base_dir"], inst_data)


class _HeldRuns(SqliteRunStorage):
    """One engine, which knows its statements. Dagster makes one for each look."""

    def __init__(self, conn_string: str) -> None:
        super().__init__(conn_string)
        self._engine = _engine_of(conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()


class _HeldEventLog(SqliteEventLogStorage):
    """An engine for each database: that of each run, and the index of all."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. It loses none, so that each is looked for until found."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._make(shard, engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _make(self, shard: str, engine: Engine) -> None:
        """See that the database is there, with all its tables.

        Dagster reads each of its migrations twice to make one: once in a process is enough.
        """
        is_new = not Path(self.path_for_shard(shard)).exists()
        if is_new and _statements:
            with suppress(OperationalError), engine.connect() as connection:
                _sqlite(connection).executescript(_statements[0])
                return
            # Another process is making the same one.
        self._initdb(engine)
        if is_new:
            with engine.connect() as connection:
                _statements[:] = ["\n".join(filter(_is_of_any_run, _dump(connection)))]

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = _engine_of(self.conn_string_for_shard(shard))
        self._engines[shard] = engine
        if len(self._engines) > HELD_DATABASES:
            self._engines.pop(next(iter(self._engines))).dispose()
        return engine

    def _store_asset_check_evaluation_planned(
        self, event: EventLogEntry, event_id: int | None
    ) -> None:
        """One row for each partition. Dagster writes all keys of the run into each of them."""
        for planned in _by_partition(event):
            super()._store_asset_check_evaluation_planned(planned, event_id)

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


def _dump(connection: Connection) -> Iterator[str]:
    return _sqlite(connection).iterdump()


def _is_of_any_run(statement: str) -> bool:
    """Whether a statement makes no row of one run: another process may have written its events."""
    return not statement.startswith("INSERT") or _REVISION in statement


def _sqlite(connection: Connection) -> SqliteConnection:
    found = connection.connection.driver_connection
    assert isinstance(found, SqliteConnection)
    return found


def _by_partition(event: EventLogEntry) -> Iterator[EventLogEntry]:
    """A planned check, of one partition each."""
    whole = event.get_dagster_event()
    planned = whole.asset_check_planned_data
    if planned.partitions_subset is None:
        yield event
        return
    for key in planned.partitions_subset.get_partition_keys():
        one = copy(planned, partitions_subset=DefaultPartitionsSubset({key}))
        yield event._replace(dagster_event=whole._replace(event_specific_data=one))


@contextmanager
def _each_connection_quick() -> Iterator[None]:
    """Also those that Dagster opens by itself, to make files that are not there yet."""
    event.listen(Engine, "connect", _without_waiting_for_the_disk)
    try:
        yield
    finally:
        event.remove(Engine, "connect", _without_waiting_for_the_disk)


def _engine_of(conn_string: str) -> Engine:
    engine = create_engine(conn_string, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _without_waiting_for_the_disk)
    return engine


def _without_waiting_for_the_disk(connection: SqliteConnection, _: object) -> None:
    """A machine that loses its power may lose the last events, and no file is damaged by that.

    So SQLite promises in its write-ahead mode, which Dagster's files are in once they are made. A
    new one is from the start: else each of its tables and indexes waits for the disk several times.
    What a killed process has written stays.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
