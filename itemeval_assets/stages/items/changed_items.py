"""Items that changed since they were answered or graded: refused, or accepted.

To accept a change takes the rows of what was asked before out of their tables: their cells are
missing from then on, and the run makes them again. What the rows have cost stands in `replaced`.
The acceptance is stored first, so that a run which is killed in between is gone on with.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.design.items.changed_items import (
    Edited,
    comparison,
    outdated_items,
    require_same,
)
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.storage.study.store import ResultsStore

Row = Mapping[str, Any]
# What holds rows of items.
_TABLES = ("solutions", "item_rubrics", "gradings")
# The items of each partition whose rows are of what they were before.
Outdated = Mapping[Partition, frozenset[str]]


def outdated_rows(
    study: Study, store: ResultsStore, edited: Mapping[str, Edited]
) -> dict[Partition, frozenset[str]]:
    """The stored rows, also of former conditions, that are of another item than that of now."""
    found = {}
    for table in _TABLES if edited else ():
        for partition in store.partitions(table):
            rows = store.read(table, [partition], ["item_id"])
            ids = rows["item_id"].unique().to_pylist()
            pairs = [edited[id] for id in ids if id in edited]
            if changed := outdated_items(pairs, comparison(study.design, partition)):
                found[partition] = frozenset(changed)
    return found


def refuse_changed_items(study: Study, edited: Mapping[str, Edited], outdated: Outdated) -> None:
    """Raise DatasetError for the first table that has rows of another item."""
    is_of_task = isinstance(study.config.benchmark, TaskBenchmark)
    for table in _TABLES:
        ids = ids_of(outdated, table)
        require_same(table, [pair for id, pair in edited.items() if id in ids], is_of_task)


def ids_of(outdated: Outdated, *tables: str) -> set[str]:
    """The ids of the items whose rows in these tables are outdated."""
    return {id for part, ids in outdated.items() if part.stage.table in tables for id in ids}


def withdraw(
    study: Study,
    store: ResultsStore,
    outdated: Outdated,
    holder: str,
    say: Callable[[str], None],
) -> None:
    """Take the outdated rows out of their tables, and keep what they have cost.

    Waits for runs that are at work on these partitions.
    """

    def waiting(partition: Partition, other: str) -> None:
        say(f"{study.design.label_of(partition)}: waits for {other or 'nobody any more'}")

    with store.claimed([*outdated], holder, waiting):
        for partition, ids in outdated.items():
            count = store.withdraw(partition.stage.table, partition, ids)
            say(f"{study.design.label_of(partition)}: {count} rows are of items as they were")


def all_changed(edited: Mapping[str, Edited], outdated: Outdated) -> Sequence[str]:
    """The ids of the items with outdated rows, in the order of the data."""
    ids = ids_of(outdated, *_TABLES)
    return [id for id in edited if id in ids]
