"""Spans: how few ranges cover a choice of partitions, and nothing else.

Dagster runs a range of partitions at once: from a first to a last key, in the order of the
design; of a grid, all rows between times all columns between.
"""

from collections.abc import Collection, Sequence

from .study import Partition

__all__ = ["ranges", "spans"]

Span = tuple[Partition, Partition]


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


def spans(
    wanted: Collection[Partition], rows: Sequence[str], columns: Sequence[str] = ()
) -> list[Span]:
    """Spans that cover exactly the wanted partitions, each once.

    `rows` are the generate conditions; `columns` the grade conditions, of a grid. Rows that
    want the same stretch of columns, one after the other, share a span.
    """
    if not columns:
        return [((first,), (last,)) for first, last in ranges({p[0] for p in wanted}, rows)]
    by_row: dict[str, set[str]] = {}
    for row, column in wanted:
        by_row.setdefault(row, set()).add(column)
    stretches: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for stretch in ranges(by_row.get(row, ()), columns):
            stretches.setdefault(stretch, []).append(row)
    return [
        ((top, left), (bottom, right))
        for (left, right), of in stretches.items()
        for top, bottom in ranges(of, rows)
    ]
