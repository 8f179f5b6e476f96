"""Ctrl-C and SIGTERM while inspect is calling models."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from .in_flight.calls import DEAF_S, Calls

T = TypeVar("T")


def apart_from_loops(work: Callable[[], T], calls: Calls) -> T:
    """Do the work of an eval, in a thread of its own where an event loop is at work in this one.

    Loops do not nest, and a notebook runs each cell within one. Signals arrive in this thread.
    """
    if not _is_in_loop():
        return work()
    calls.on_begin = lambda: None
    steps = [calls.stop, calls.cut_off]
    with ThreadPoolExecutor(1, initializer=_set_loop) as beside:
        logs = beside.submit(work)
        while True:
            try:
                return logs.result()
            except KeyboardInterrupt:
                if logs.done():
                    raise
                if steps:
                    steps.pop(0)()


def _is_in_loop() -> bool:
    """Whether an event loop is at work in this thread.

    No eval may run in this handler: inspect would take its error for the cause of each other one.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _set_loop() -> None:
    """In a notebook inspect takes the loop that the thread has, and runs it again and again."""
    asyncio.set_event_loop(asyncio.new_event_loop())


@contextmanager
def interruptible(calls: Calls) -> Iterator[None]:
    """SIGINT and SIGTERM within the block stop the calls: gently, then at once, then all.

    Where code of a task keeps the event loop, nothing of this is heard: the second one raises.

    A handler that raises, as Dagster's does, raises within whatever task is at work: that would
    be the error of one sample, and the eval would go on calling. Before the first call the
    signals cancel the event loop's main task, as Python arranges it for its own handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)
    calls.on_begin = lambda: _stop_gently(calls)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])


def _stop_gently(calls: Calls) -> None:
    whole = signal.getsignal(signal.SIGINT)
    steps = [calls.stop, calls.cut_off]

    def cancel() -> None:
        assert callable(whole)
        whole(signal.SIGINT, None)

    def on_signal(_signum: int, _frame: FrameType | None) -> None:
        is_first = len(steps) == 2
        if calls.is_deaf and not is_first:
            raise KeyboardInterrupt  # within the code that keeps the loop
        (steps.pop(0) if steps else cancel)()
        if not is_first:
            again = threading.Timer(DEAF_S, _interrupt_if_deaf, [calls])
            again.daemon = True
            again.start()

    calls.cancel = cancel
    signal.signal(signal.SIGINT, on_signal)


def _interrupt_if_deaf(calls: Calls) -> None:
    """Send the main thread another signal, which ends a wait that Python cannot break off."""
    if calls.is_deaf and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _as_interrupt(_signum: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
