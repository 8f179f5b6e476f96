"""Partition keys: what Dagster knows partitions by, short enough that its pages cut none of it.

A key has model and prompt, or grader and rubric, and the start of the condition's digest:
`nova-1_short-7f8a`. It depends on the condition alone, so it stays when the design grows. Tables,
manifests, logs and the ledger know ids only.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from itemeval_assets.core.design.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study

# Dagster's own mark between the dimensions of a key.
_BETWEEN = "|"
# A column of the grid is 200 px wide in a window of 1,400: 25 signs.
_LONGEST_NAME, _DIGEST = 19, 4
_FEWEST_LETTERS = 2
# What a name that is too long loses first: dates, and how a model was trained.
_SAYS_LITTLE = re.compile(r"-(\d{8}|\d{4}-\d\d-\d\d|instruct(-turbo)?|chat|latest|preview)(?=-|$)")


class PartitionKeys:
    """The keys of a study's partitions, and the way back."""

    def __init__(self, study: Study) -> None:
        self.generate = _keys(study.design.generate)
        self.grade = _keys(study.design.grade)
        self._ids = [_turned(keys) for keys in (self.generate, self.grade)]

    def of(self, partition: Partition) -> str:
        """The key of a partition: dimensions in alphabetical order."""
        dimensions = (self.generate, self.grade)
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


def _keys(conditions: Sequence[GenerateCondition | GradeCondition]) -> dict[str, str]:
    """{id: key}. Conditions whose keys would be equal are known by their ids."""
    keys = {condition.id: _key(condition) for condition in conditions}
    count = Counter(keys.values())
    return {id: key if count[key] == 1 else id for id, key in keys.items()}


def _turned(keys: Mapping[str, str]) -> dict[str, str]:
    return {key: id for id, key in keys.items()}


def _key(condition: GenerateCondition | GradeCondition) -> str:
    digest = condition.id.rpartition("--")[2]
    return f"{_name([part.short for part in condition.label_parts])}-{digest[:_DIGEST]}"


def _name(parts: Sequence[str]) -> str:
    """The parts, as much of each as there is room for."""
    return _shortened(tuple(_plain(part) for part in parts if part))


@cache
def _shortened(names: tuple[str, ...]) -> str:
    shown = list(names)
    if len("_".join(shown)) > _LONGEST_NAME:
        shown = [_SAYS_LITTLE.sub("", name) for name in shown]
    while len("_".join(shown)) > _LONGEST_NAME:
        # The first part is the model or the judge: it keeps twice as much as another part.
        place = max(range(len(shown)), key=lambda n: (len(shown[n]) * (2 if n else 1), n))
        shown[place] = _shorter(shown[place])
    return "_".join(shown)


def _shorter(name: str) -> str:
    """A name, a little shorter. Numbers stay: they tell versions and sizes of models apart."""
    words = name.split("-")
    if any(map(_has_digit, words)):
        length, place = max((0 if _has_digit(w) else len(w), n) for n, w in enumerate(words))
        if length > _FEWEST_LETTERS:
            words[place] = words[place][:-1]
            return "-".join(words)
        if length and place:
            return "-".join(words[:place] + words[place + 1 :])
    return name[:-1].rstrip("-.")


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _plain(text: str) -> str:
    """Small letters, digits, `.` and `-`; of what has none of them, `x`."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "x"
