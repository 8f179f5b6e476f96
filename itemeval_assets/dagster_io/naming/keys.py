"""Partition keys: what Dagster knows partitions by, short enough that its pages cut none of it.

A key has model and prompt, or grader and rubric, and the start of the condition's digest:
`nova-1_short-7f8a`. It depends on the condition alone, so it stays when the design grows. Tables,
manifests, logs and the ledger know ids only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.conditions.rubrics import RubricCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study

from .short_names import short_name, width_px

# Dagster's own mark between the dimensions of a key.
_BETWEEN = "|"
# What a column of the grid of gradings shows, in a window of 1,400 x 900 with the navigation open:
# chromium measures 165 px for its text, which is 20 to 23 signs.
COLUMN_PX = 164
_DIGEST = 4

_Condition = GenerateCondition | GradeCondition | RubricCondition


class PartitionKeys:
    """The keys of a study's partitions, and the way back."""

    def __init__(self, study: Study) -> None:
        self.generate = _keys(study.design.generate)
        self.grade = _keys(study.design.grade)
        # Theirs hold no `_`, which is in the keys of all generate conditions.
        self.written = _keys(study.design.written)
        self._ids = [_turned({**self.generate, **self.written}), _turned(self.grade)]

    def of(self, partition: Partition) -> str:
        """The key of a partition: dimensions in alphabetical order."""
        dimensions = ({**self.generate, **self.written}, self.grade)
        ids = zip(dimensions, partition, strict=False)
        return _BETWEEN.join(keys.get(id, id) for keys, id in ids)

    def partition(self, key: str) -> Partition:
        """The partition that a key names; or ids in its place, as runs of older versions do."""
        parts = zip(self._ids, key.split(_BETWEEN), strict=False)
        return Partition(ids.get(part, part) for ids, part in parts)

    def partitions(self, keys: Iterable[str], order: Sequence[Partition]) -> list[Partition]:
        """The partitions of some keys, in the order of the design."""
        wanted = set(map(self.partition, keys))
        return [partition for partition in order if partition in wanted]


def _keys(conditions: Sequence[_Condition]) -> dict[str, str]:
    """{id: key}. Conditions whose keys would be equal are known by their ids."""
    keys = {condition.id: _key(condition) for condition in conditions}
    count = Counter(keys.values())
    return {id: key if count[key] == 1 else id for id, key in keys.items()}


def _turned(keys: Mapping[str, str]) -> dict[str, str]:
    return {key: id for id, key in keys.items()}


def _key(condition: _Condition) -> str:
    return _shortened(condition.id, tuple(part.short for part in condition.label_parts))


@cache
def _shortened(id: str, parts: tuple[str, ...]) -> str:
    digest = f"-{id.rpartition('--')[2][:_DIGEST]}"
    return short_name(tuple(filter(None, parts)), COLUMN_PX - width_px(digest)) + digest
