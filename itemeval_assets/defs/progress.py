"""Progress of the calls in a run: a log line every few seconds, and whoever else listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itemeval_assets.engine.progress import Listener, Progress

__all__ = ["listening", "progress_log"]

SECONDS_BETWEEN_LINES = 5.0

_listeners: list["Listener"] = []


@contextmanager
def listening(listener: "Listener") -> Iterator[None]:
    """Call `listener` with the progress of every run in this process while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def progress_log(log: Callable[[str], None]) -> "Listener":
    """A listener that logs a line now and then, and at the end, and tells all others."""
    last = time.monotonic()

    def report(progress: "Progress") -> None:
        nonlocal last
        for listener in _listeners:
            listener(progress)
        if progress.done == progress.total or time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log(progress.line())

    return report
