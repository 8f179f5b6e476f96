"""Garbage collection that leaves a process its time.

Python's collector goes through all objects again and again, and once more at the end. Most of
them are from imported packages and stay anyway, and meanwhile no answer is taken in.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (100_000, 20, 20)
# The packages of a run make 600,000 objects, and none of them is garbage.
_WHILE_PACKAGES_LOAD = (1_000_000, 20, 20)


@contextmanager
def little_garbage_collection() -> Iterator[None]:
    """Look for garbage among the objects of the block alone, and not at every turn."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@contextmanager
def without_collection_at_the_end() -> Iterator[None]:
    """For the whole life of a process: it ends with the block, and all its memory with it."""
    usual = gc.get_threshold()
    gc.set_threshold(*_WHILE_PACKAGES_LOAD)
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*usual)
