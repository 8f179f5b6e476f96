"""Refuses items that changed since they were answered or graded."""

from collections.abc import Mapping, Sequence
from typing import Any

from itemeval_assets.core.design.changed_items import comparison, edited_items, require_same
from itemeval_assets.core.design.study import Study
from itemeval_assets.storage.study.store import ResultsStore

Row = Mapping[str, Any]


def refuse_changed_items(
    study: Study, store: ResultsStore, before: Sequence[Row], now: Sequence[Row]
) -> None:
    """Raise DatasetError where stored rows, also of former conditions, are of another item.

    `before`: the items as they are stored; `now`: as the data have them.
    """
    edited = edited_items(before, now)
    for table in ("solutions", "gradings") if edited else ():
        for partition in store.partitions(table):
            if is_another := comparison(study.design, partition):
                rows = store.read(table, [partition], ["item_id"])
                ids = rows["item_id"].unique().to_pylist()
                require_same(table, [edited[id] for id in ids if id in edited], is_another)
