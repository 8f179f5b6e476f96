"""Dagster's history in Postgres, through connections that stay open while their process lives.

Dagster connects anew for each of the hundred events of a run, and to connect takes both sides ten
times as long as to write one.
"""

import os
from functools import cache
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config
from sqlalchemy import Engine

__all__ = ["HeldPostgresStorage"]

# Held, and as many more for a moment, by all threads and instances of a process together.
_CONNECTIONS, _MORE = 4, 16


class HeldPostgresStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage, whose three parts share the connections of their process."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = _engine(postgres_url, os.getpid())

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "HeldPostgresStorage":
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
        )


@cache
def _engine(postgres_url: str, process: int) -> Engine:
    """The connections of a process: two that share one, after a fork, would mix their answers."""
    return create_pg_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=_CONNECTIONS,
        max_overflow=_MORE,
        pool_pre_ping=True,  # Postgres may have been started again meanwhile
    )
