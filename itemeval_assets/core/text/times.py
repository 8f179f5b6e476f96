"""Moments as tables, documents and messages record them."""

from datetime import UTC, datetime


def now() -> str:
    """The present moment, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
