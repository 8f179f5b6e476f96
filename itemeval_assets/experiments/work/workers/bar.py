"""A bar for who waits for a run at a terminal."""

import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .watch import Watch

# A run that is over by then needs no bar.
_SHOWN_AFTER_S = 2.0
_TICK_S = 0.2


def shown_until(
    ended: threading.Event, watch: Watch, title: str, timeout_s: float | None = None
) -> bool:
    """Wait until a run has ended, or for some seconds; whether it has. A bar shows how far it is:
    specs, failures, time left. On standard error, where that is a terminal.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    if not sys.stderr.isatty():
        return ended.wait(timeout_s)
    if ended.wait(_seconds(_SHOWN_AFTER_S, deadline)):
        return True
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=None, failed="")
        while not ended.wait(_seconds(_TICK_S, deadline)):
            failed = f"{watch.failed} failed" if watch.failed else ""
            bars.update(task, total=watch.total or None, completed=watch.done, failed=failed)
            if deadline is not None and time.monotonic() >= deadline:
                return False
    return True


def _seconds(most_s: float, deadline: float | None) -> float:
    return most_s if deadline is None else max(0.0, min(most_s, deadline - time.monotonic()))
