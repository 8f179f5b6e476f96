"""Dagster's database migrations: read once, and not told in people's logs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from alembic.script import ScriptDirectory


@contextmanager
def quiet_migrations() -> Iterator[None]:
    """Log no more of migrations than what goes wrong with them, and read their scripts once.

    Dagster reads all of them for each database, and each run has a database of its own.
    """
    logger = logging.getLogger("alembic")
    level = logger.level
    read = ScriptDirectory.from_config
    logger.setLevel(max(level, logging.WARNING))
    ScriptDirectory.from_config = _read_once
    try:
        yield
    finally:
        ScriptDirectory.from_config = read
        logger.setLevel(level)


_read_once = cache(ScriptDirectory.from_config)
