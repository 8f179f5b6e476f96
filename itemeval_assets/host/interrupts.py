"""Ctrl-C and SIGTERM of a whole command: none is lost, and none ends it without a word."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Ctrl-C, as Dagster raises it, or as Python does.
INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")

# Long enough to be out of the callback that swallowed it.
_AGAIN_AFTER_S = 0.02


@contextmanager
def heeded() -> Iterator[None]:
    """SIGTERM is an interrupt like Ctrl-C; and one that Python drops comes again.

    Handlers raise wherever the process is. In a callback of the garbage collector, or of a library
    in C, Python reports such an exception, and goes on as if nobody had asked for the end.

    Dagster has SIGTERM do what SIGINT does, and leaves it so. A shell script starts what it puts in
    the background with SIGINT ignored: SIGTERM would be ignored from the first Dagster run on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    report, on_term = sys.unraisablehook, signal.getsignal(signal.SIGTERM)
    on_int = signal.getsignal(signal.SIGINT)
    again = signal.SIGTERM if on_int in (signal.SIG_IGN, interrupt_by_term) else signal.SIGINT
    last = logging.lastResort
    assert last is not None

    def report_or_repeat(dropped: Any) -> None:
        if dropped.exc_type.__name__ not in INTERRUPTIONS:
            report(dropped)
        else:
            threading.Timer(_AGAIN_AFTER_S, os.kill, (os.getpid(), again)).start()

    sys.unraisablehook = report_or_repeat
    last.addFilter(_is_no_interrupt)
    if on_term is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, interrupt)
    if on_int is signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt_by_term)
    try:
        yield
    finally:
        sys.unraisablehook = report
        last.removeFilter(_is_no_interrupt)
        for number, handler in ((signal.SIGTERM, on_term), (signal.SIGINT, on_int)):
            if handler is not None:  # one that is not Python's cannot be set by Python
                signal.signal(number, handler)


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """Libraries log what they are interrupted by, with a traceback, and raise it all the same."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ not in INTERRUPTIONS


def interrupt(_signum: int, _frame: FrameType | None) -> None:
    """The handler of a signal that is to end the work of a process, as Ctrl-C does."""
    raise KeyboardInterrupt


def interrupt_by_term(signum: int, frame: FrameType | None) -> None:
    """The handler of a SIGINT that is ignored, which Dagster gives to SIGTERM, too."""
    if signum == signal.SIGTERM:
        interrupt(signum, frame)
