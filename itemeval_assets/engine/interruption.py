"""Ctrl-C and SIGTERM while inspect is calling models."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible"]


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM within the block cancel the event loop's main task.

    Python arranges that for its own handler of SIGINT only. A handler that raises, as Dagster's
    does, raises within whatever task is at work: that would be the error of one sample, and the
    eval would go on calling.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])


def _as_interrupt(_signum: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
