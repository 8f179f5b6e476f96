"""Dagster's history in tests: SQLite hands what it writes to the system, and waits for no disk.

A process that is killed loses nothing by it: only a machine without power would. Half of the time
of a run is such waits.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

__all__: list[str] = []


@event.listens_for(Engine, "connect")
def _wait_for_no_disk(connection: Any, _: object) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous = OFF")
