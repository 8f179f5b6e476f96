"""Which cells of a grid a partition has: those of a wave with anchors are fewer.

Anchors are the first n items in the order of `benchmark.sample` with the seed 0: they are the same
on every machine, and more of them keep those that were there.
"""

from collections.abc import Sequence

import numpy as np

from .conditions.conditions import Design
from .partitions import Partition
from .sampling import first_by_hash

__all__ = ["Anchors"]


class Anchors:
    """The cells of each partition, item by item: of the first items, if there is a limit."""

    def __init__(
        self, design: Design, items: Sequence[str], replications: int, limit: int | None = None
    ) -> None:
        self._design, self._items = design, items
        self._replications, self._limit = replications, limit
        # By the number of anchors: partitions share what is as large as the grid.
        self._known: dict[int, np.ndarray] = {}

    def of(self, partition: Partition) -> np.ndarray:
        """bool[cells]: those that the partition has."""
        count = self._design.anchors_of(partition)
        n = len(self._items) if count is None else min(count, len(self._items))
        if n not in self._known:
            self._known[n] = np.repeat(self._is_anchor(n), self._replications)
        return self._known[n]

    def _is_anchor(self, n: int) -> np.ndarray:
        found = np.ones(len(self._items), bool)
        if n < len(found):
            found[:] = False
            found[first_by_hash(self._items, n)] = True
        return found[: self._limit]
