"""Claims: one run at a time may make the calls of a partition.

A run that finds a partition claimed waits, and then plans again: what the other run
has finished is no longer pending, so no cell is paid twice. A process that dies loses its
claims.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from itemeval_assets.core.study import Partition

from .backends import Backend
from .layout import claim_key

__all__ = ["claimed", "is_claimed"]


@contextmanager
def claimed(
    backend: Backend,
    partitions: list[Partition],
    holder: str,
    on_wait: Callable[[Partition, str], None],
) -> Iterator[None]:
    """Hold the claims of all `partitions`; `on_wait(partition, holder)` tells of each wait.

    Claims are taken in sorted order, so that two runs never wait for each other.
    """
    with ExitStack() as stack:
        for partition in sorted(partitions):
            lock = backend.lock(claim_key(partition), holder, partial(on_wait, partition))
            stack.enter_context(lock)
        yield


def is_claimed(backend: Backend, partition: Partition) -> bool:
    """Whether a run holds the claim of a partition just now."""
    return backend.is_held(claim_key(partition))
