"""What steps did, as records: told to who started their run in this process.

Dagster keeps of a step what people look at. A program reads no text that is made for people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
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
_collectors: list[dict[str, Any]] = []


@contextmanager
def collecting() -> Iterator[dict[str, Any]]:
    """{asset: what its step last did} of the runs of this process while the block runs."""
    found: dict[str, Any] = {}
    _collectors.append(found)
    try:
        yield found
    finally:
        _collectors[:] = [other for other in _collectors if other is not found]


def tell_result(asset: str, result: Any) -> None:
    """Tell whoever collects what the step of an asset did."""
    for found in _collectors:
        found[asset] = result


def tell_error(error: ItemevalAssetsError) -> None:
    """Tell whoever collects what ended a step."""
    for found in _collectors:
        found.setdefault(ERROR, error)
