"""Spans: how few ranges cover a choice of partitions, and nothing else.

Dagster runs a range of partitions at once: from a first to a last key, in the order of the
design; of a grid, all rows between times all columns between.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise

from .partitions import GRADE, RUBRIC, Partition, Stage
from .study import Study

Span = tuple[Partition, Partition]
_NEXT_TO_NOTHING = 1e-3


def ranges(wanted: Collection[str], order: Sequence[str]) -> list[tuple[str, str]]:
    """The first and last key of each unbroken stretch of `wanted` in `order`."""
    found: list[tuple[str, str]] = []
    previous: int | None = None
    for place, key in enumerate(order):
        if key not in wanted:
            continue
        if previous is not None and previous == place - 1:
            found[-1] = (found[-1][0], key)
        else:
            found.append((key, key))
        previous = place
    return found


def shares(
    wanted: Sequence[Partition],
    weights: Mapping[Partition, float],
    count: int,
    following: Collection[Partition] = (),
) -> list[list[Partition]]:
    """The wanted partitions, in their order, cut into at most `count` parts of like weight.

    A partition without a weight weighs as if it were done: next to nothing. Those `following` stay
    with the one before them.
    """
    found: list[list[Partition]] = [[] for _ in range(count)]
    each = [weights.get(partition, 0.0) + _NEXT_TO_NOTHING for partition in wanted]
    before, place = 0.0, 0
    for partition, weight in zip(wanted, each, strict=True):
        if partition not in following:
            place = min(int((before + weight / 2) / sum(each) * count), count - 1)
        found[place].append(partition)
        before += weight
    return [part for part in found if part]


def split(limit: int, weights: Sequence[float]) -> list[int]:
    """The limit in whole parts, after their weights: all of it, and one at least for each."""
    rest = max(0, limit - len(weights))
    each = [weight + _NEXT_TO_NOTHING for weight in weights]
    ends = [round(rest * end / sum(each)) for end in accumulate(each)]
    return [1 + end - begin for begin, end in pairwise([0, *ends])]


def axes(study: Study, stage: Stage) -> tuple[list[str], list[str]]:
    """The rows and the columns of a stage's partitions, as `spans` takes them."""
    design = study.design
    rows = design.written if stage is RUBRIC else design.generate
    columns = design.grade if stage is GRADE else ()
    return [one.id for one in rows], [one.id for one in columns]


def spans(
    wanted: Collection[Partition], rows: Sequence[str], columns: Sequence[str] = ()
) -> list[Span]:
    """Spans that cover exactly the wanted partitions, each once.

    `rows` are the generate conditions, or those of rubrics; `columns` the grade conditions, of a
    grid. Rows that
    want the same stretch of columns, one after the other, share a span.
    """
    if not columns:
        found = ranges({part.generate for part in wanted}, rows)
        return [(Partition((first,)), Partition((last,))) for first, last in found]
    by_row: dict[str, set[str]] = {}
    for row, column in wanted:
        by_row.setdefault(row, set()).add(column)
    stretches: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for stretch in ranges(by_row.get(row, ()), columns):
            stretches.setdefault(stretch, []).append(row)
    return [
        (Partition((top, left)), Partition((bottom, right)))
        for (left, right), of in stretches.items()
        for top, bottom in ranges(of, rows)
    ]
