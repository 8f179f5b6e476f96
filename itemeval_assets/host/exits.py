"""Code of others that calls `os._exit`: its process would be gone, without a word and unsaved."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


class ProcessExit(BaseException):
    """Code called `os._exit`. No `Exception`, which that code may catch and go on."""


_usual = os._exit
# The second is what the first takes it from.
_MODULES: list[Any] = [sys.modules[name] for name in ("os", "posix", "nt") if name in sys.modules]
# The process of each block that is open; a child that it forks is another one.
_open: list[int] = []


@contextmanager
def no_process_exit() -> Iterator[None]:
    """Within the block, `os._exit` raises ProcessExit, in each thread of this process.

    A child that is forked there still ends by it. After the block `os._exit` does what it did:
    it stays replaced, because code may have imported it by name.
    """
    for module in _MODULES:
        module._exit = _exit
    own = os.getpid()
    _open.append(own)
    try:
        yield
    finally:
        _open.remove(own)


def _exit(status: int) -> NoReturn:
    if os.getpid() in _open:
        raise ProcessExit(f"os._exit({status})")
    _usual(status)
