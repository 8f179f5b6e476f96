"""Claims: one run at a time may make the calls of a partition.

A run that finds a partition claimed waits, and then plans again: what the other run
has finished is no longer pending, so no cell is paid twice. The operating system drops
the claim of a process that dies.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from itemeval_assets.core.study import Partition

from .backends import LOCKS
from .layout import claim_key

__all__ = ["claimed", "is_claimed", "is_held"]


@contextmanager
def claimed(
    locks_dir: Path,
    partitions: list[Partition],
    holder: str,
    on_wait: Callable[[Partition, str], None],
) -> Iterator[None]:
    """Hold the claims of all `partitions`; `on_wait(partition, holder)` tells of each wait.

    Claims are taken in sorted order, so that two runs never wait for each other.
    """
    _allow_open_files(len(partitions))
    with ExitStack() as stack:
        for partition in sorted(partitions):
            path = locks_dir / f"{claim_key(partition)}.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            _acquire(lock, path.with_suffix(".holder"), partition, on_wait)
            stack.callback(lock.release)
            path.with_suffix(".holder").write_text(holder)
        yield


def is_claimed(study_dir: Path, partition: Partition) -> bool:
    """Whether a run holds the claim of a partition just now."""
    return is_held(study_dir / LOCKS / f"{claim_key(partition)}.lock")


def is_held(path: Path) -> bool:
    """Whether a living process holds this lock file."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _acquire(
    lock: FileLock,
    holder_file: Path,
    partition: Partition,
    on_wait: Callable[[Partition, str], None],
) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = holder_file.read_text() if holder_file.exists() else "another run"
        on_wait(partition, holder)
        lock.acquire(poll_interval=0.2)


def _allow_open_files(claims: int) -> None:
    """Each claim keeps a file open; the soft limit of many systems is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = claims + 512
    if soft < needed:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
