"""What steps did, as records: told to who started their run in this thread.

Dagster keeps of a step what people look at. A program reads no text that is made for people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.errors import ItemevalAssetsError


@dataclass(frozen=True)
class CallCounts:
    """What became of the calls of one stage: those `recovered` from logs, and those `held_back`."""

    recovered: int
    held_back: int


# In the place of an asset: the first error of a run that the user can act on.
ERROR = "(error)"
# Of each thread: runs of experiments have their own, beside that of a study.
_collectors: ContextVar[tuple[dict[str, Any], ...]] = ContextVar("collectors", default=())


@contextmanager
def collecting() -> Iterator[dict[str, Any]]:
    """{asset: what its step last did} of the runs of this thread while the block runs."""
    found: dict[str, Any] = {}
    outer = _collectors.get()
    _collectors.set((*outer, found))
    try:
        yield found
    finally:
        _collectors.set(outer)


def tell_result(asset: str, result: Any) -> None:
    """Tell whoever collects what the step of an asset did."""
    for found in _collectors.get():
        found[asset] = result


def tell_error(error: ItemevalAssetsError) -> None:
    """Tell whoever collects what ended a step."""
    for found in _collectors.get():
        found.setdefault(ERROR, error)
