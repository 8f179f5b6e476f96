"""Keeps what Dagster's database migrations say of themselves out of people's logs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["unlogged_migrations"]


@contextmanager
def unlogged_migrations() -> Iterator[None]:
    """Log no more of migrations than what goes wrong with them."""
    logger = logging.getLogger("alembic")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)
