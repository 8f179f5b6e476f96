"""Dagster's database migrations: read once, and not told in people's logs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def quiet_migrations() -> Iterator[None]:
    """Log no more of migrations than what goes wrong with them, and read their scripts once.

    Dagster reads all of them for each database, and each run has a database of its own.
    """
    logger = logging.getLogger("alembic")
    level = logger.level
    # Alembic logs something as it loads, too.
    logger.setLevel(max(level, logging.WARNING))
    from alembic.script import ScriptDirectory

    read = ScriptDirectory.from_config
    ScriptDirectory.from_config = _read_once()
    try:
        yield
    finally:
        ScriptDirectory.from_config = read
        logger.setLevel(level)


@cache
def _read_once() -> Callable[..., Any]:
    """The reader that Dagster uses, with a memory."""
    from alembic.script import ScriptDirectory

    return cache(ScriptDirectory.from_config)
