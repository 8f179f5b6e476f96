"""Which cells of a grid a partition has: those of a wave with anchors, or of a tranche, are fewer.

Anchors are the first n items in the order of `benchmark.sample` with the seed 0: they are the same
on every machine, and more of them keep those that were there. A tranche is the first n items as
they stand. It does not cut anchors: a later time asks the same items, however far the first is.
Rubrics that models write are of all items that are graded by them.
"""

from collections.abc import Sequence

import numpy as np

from ..conditions.conditions import Design
from ..items.sampling import first_by_hash
from ..partitions import RUBRIC, Partition


class Anchors:
    """The cells of each partition, item by item: of the first items, if there is a limit.

    `tranche`: the items that a partition without anchors has.
    """

    def __init__(
        self,
        design: Design,
        items: Sequence[str],
        replications: int,
        limit: int | None = None,
        tranche: int | None = None,
    ) -> None:
        self._design, self._items = design, items
        self._replications, self._limit, self._tranche = replications, limit, tranche
        # By the number of anchors: partitions share what is as large as the grid.
        self._known: dict[int | None, np.ndarray] = {}

    def of(self, partition: Partition) -> np.ndarray:
        """bool[cells]: those that the partition has."""
        if partition.stage is RUBRIC:
            return self._of_rubrics(partition)
        count = self._design.anchors_of(partition)
        has = self._of_count(count)
        if count is None or partition == partition.solutions:
            return has
        # Who grades the first answers again has no more than these.
        return has & self.of(partition.solutions)

    def _of_rubrics(self, rubrics: Partition) -> np.ndarray:
        """The items of all that is graded by them, each in the place of its first replication."""
        design = self._design
        pairs = (Partition((row.id, col.id)) for row in design.generate for col in design.grade)
        graded = [pair for pair in pairs if design.rubric_of(pair) == rubrics]
        counts = {design.anchors_of(pair) for pair in graded} or {None}
        has = np.logical_or.reduce([self._of_count(count) for count in counts])
        return has & (np.arange(len(has)) % self._replications == 0)

    def _of_count(self, count: int | None) -> np.ndarray:
        if count not in self._known:
            has = self._in_tranche() if count is None else self._is_anchor(count)
            self._known[count] = np.repeat(has[: self._limit], self._replications)
        return self._known[count]

    def _in_tranche(self) -> np.ndarray:
        found = np.ones(len(self._items), bool)
        if self._tranche is not None:
            found[self._tranche :] = False
        return found

    def _is_anchor(self, n: int) -> np.ndarray:
        found = np.zeros(len(self._items), bool)
        found[first_by_hash(self._items, n)] = True
        return found
