"""Claims: one run at a time may make the calls of a partition.

A run that finds a partition claimed waits, and then plans again: what the other run
has finished is no longer pending, so no cell is paid twice. A process that dies loses its
claims.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.storage.objects.backends import Backend

from .layout import claim_key


@contextmanager
def claimed(
    backend: Backend,
    partitions: list[Partition],
    holder: str,
    on_wait: Callable[[Partition, str], None],
) -> Iterator[None]:
    """Hold the claims of all `partitions`; `on_wait(partition, holder)` tells of each wait.

    It is told at once, each minute, and with no holder when the wait is over.
    Claims are taken in sorted order, so that two runs never wait for each other.
    """
    holder = f"{holder}, process {os.getpid()} on {socket.gethostname()}"
    keys = {claim_key(partition): partition for partition in sorted(partitions)}
    with backend.lock_each([*keys], holder, lambda key, other: on_wait(keys[key], other)):
        yield


def is_claimed(backend: Backend, partition: Partition) -> bool:
    """Whether a run holds the claim of a partition just now."""
    return backend.is_held(claim_key(partition))
