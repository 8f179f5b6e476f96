"""Progress of the calls in a run: a log line every few seconds, and whoever else listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from itemeval_assets.core.design.partitions import Partition

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.progress import Listener, Progress

_SECONDS_BETWEEN_LINES = 5.0

_listeners: list["Listener"] = []


@contextmanager
def listening(listener: "Listener") -> Iterator[None]:
    """Call `listener` with the progress of every run in this process while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell_listeners(progress: "Progress") -> None:
    """Tell whoever listens, and no log."""
    for listener in list(_listeners):
        listener(progress)


def wait_log(log: Callable[[str], None]) -> Callable[[Partition, str], None]:
    """Logs, and tells all others, which other run has a partition; no holder: the wait is over."""
    from itemeval_assets.engine.calls.progress import Progress

    started = time.monotonic()

    def tell(partition: Partition, holder: str) -> None:
        key = "|".join(partition)
        waits_for = f"{key}, which run {holder} has locked" if holder else ""
        log(f"waits for {waits_for}" if holder else f"continues with {key}")
        stage = partition.stage.name
        tell_listeners(Progress(stage, total=0, waits_for=waits_for, started=started))

    return tell


def progress_log(log: Callable[[str], None]) -> "Listener":
    """A listener that logs a line now and then, and at the end, and tells all others."""
    log_line = now_and_then(lambda progress: log(progress.line()), _SECONDS_BETWEEN_LINES)

    def report(progress: "Progress") -> None:
        tell_listeners(progress)
        log_line(progress)

    return report


def now_and_then(listener: "Listener", seconds: float) -> "Listener":
    """The listener, called at most once in so many seconds, and at the end."""
    last = time.monotonic()

    def listen(progress: "Progress") -> None:
        nonlocal last
        if progress.done == progress.total or time.monotonic() - last > seconds:
            last = time.monotonic()
            listener(progress)

    return listen
