"""Holds a file of the user while one command replaces it: no file is made beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["file_held"]


@contextmanager
def file_held(path: Path) -> Iterator[bool]:
    """Hold a file while the block runs; whether it is still the one that was opened.

    Waits for whoever else holds it, who may have put another file in its place. A file system that
    has no locks is used without, and so is Windows, which replaces no open file. Raises OSError for
    a file that cannot be opened for writing.
    """
    if fcntl is None:
        yield True
        return
    with path.open("rb+") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield os.path.samestat(os.fstat(file.fileno()), path.stat())
