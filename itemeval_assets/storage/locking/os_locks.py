"""Locks of the operating system: it drops those of a process that dies."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from itemeval_assets.host.limits import allow_open_files
from itemeval_assets.storage.own_files import LOCKS

_POLL_S = 0.2
_REMIND_S = 60.0
# Each lock keeps a file open, and the soft limit of many systems is 1,024.
_OPEN_FILES = 65_536


class OsLocks:
    """Lock files under `.locks/` of a folder, and beside each who holds it."""

    def __init__(self, root: Path) -> None:
        self._folder = root / LOCKS

    @contextmanager
    def hold(
        self, key: str, holder: str | None = None, on_wait: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Hold a lock while the block runs; `on_wait(holder)` is told who else has it."""
        path = self._file(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        named = path.with_suffix(".holder")
        if holder is not None:
            allow_open_files(_OPEN_FILES)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0 if on_wait else -1)
        except Timeout:
            assert on_wait is not None
            while not lock.is_locked:
                on_wait(named.read_text(errors="replace") if named.is_file() else "another run")
                with suppress(Timeout):
                    lock.acquire(timeout=_REMIND_S, poll_interval=_POLL_S)
        try:
            if holder is not None:
                named.write_text(holder)
            yield
        finally:
            lock.release()

    def is_held(self, key: str) -> bool:
        """Whether a living process holds a lock."""
        path = self._file(key)
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            return False  # a copy that nobody writes: what held the lock is not at work here
        lock.release()
        return False

    def forget(self, key: str) -> None:
        """Remove what is left of a lock that nobody takes any more."""
        self._file(key).unlink(missing_ok=True)
        self._file(key).with_suffix(".holder").unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.lock"
