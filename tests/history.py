"""Dagster's history in tests: SQLite hands what it writes to the system, and waits for no disk.

A process that is killed loses nothing by it: only a machine without power would. Half of the time
of a run is such waits. To make its databases is another tenth: new ones are copies of empty ones.
"""

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

__all__ = ["know_empty_databases"]

# By their names; each run has one of its own besides, which the package makes by itself.
_empty: dict[str, bytes] = {}


def know_empty_databases() -> None:
    """Have Dagster make its databases once: from now on, new ones are copies."""
    from itemeval_assets.instances.history import HeldSqliteStorage
    from itemeval_assets.instances.instance import taking_turns

    with tempfile.TemporaryDirectory() as folder, taking_turns():
        storage = HeldSqliteStorage(folder)
        _empty.update({path.stem: path.read_bytes() for path in Path(folder).rglob("*.db")})
        assert storage.event_log_storage.get_logs_for_run("the first one") == []
        storage.event_log_storage.dispose()
        storage.run_storage.dispose()


@event.listens_for(Engine, "do_connect")
def _copy_an_empty_one(dialect: Any, _: object, where: Sequence[Any], __: object) -> None:
    path = Path(where[0]) if dialect.name == "sqlite" and where else Path()
    content = _empty.get(path.stem)
    if path.suffix != ".db" or path.exists() or content is None:
        return
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    # What is wrong with the place, SQLite tells.
    with suppress(OSError):
        draft.write_bytes(content)
        os.link(draft, path)
    with suppress(OSError):
        draft.unlink()


@event.listens_for(Engine, "connect")
def _wait_for_no_disk(connection: Any, _: object) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous = OFF")
