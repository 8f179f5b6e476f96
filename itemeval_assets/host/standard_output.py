"""Standard output is for results: what code of others writes there goes to standard error."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

OUT, ERR = 1, 2


@contextmanager
def output_to_stderr() -> Iterator[None]:
    """Within the block, whatever writes to standard output: `print`, its descriptor, processes.

    Blocks of several threads may overlap: the last one gives the descriptor back.
    """
    _output.lead_away()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _output.give_back()


class _Output:
    """The descriptor of standard output, and how many blocks lead it away.

    `_real`: where it led to; null where it is as it was, or is closed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._real: int | None = None

    def lead_away(self) -> None:
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self._real = _set_aside()

    def give_back(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0 and self._real is not None:
                os.dup2(self._real, OUT)
                os.close(self._real)
                self._real = None


_output = _Output()


def _set_aside() -> int | None:
    """A copy of the descriptor, which leads to standard error now; null where one is closed."""
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        os.fstat(ERR)
        real = os.dup(OUT)
    except OSError:
        return None
    os.dup2(ERR, OUT)
    return real
