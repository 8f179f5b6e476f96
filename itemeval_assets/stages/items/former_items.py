"""Items that left the data while the study had rows of them: what they were.

One that comes back with other words must not take the old rows for answers to these.
"""

from collections.abc import Collection, Iterable
from typing import Any

from itemeval_assets.core.tables.schemas import ITEMS
from itemeval_assets.storage.study.layout import FORMER_ITEMS
from itemeval_assets.storage.study.store import ResultsStore

_Rows = list[dict[str, Any]]


def ever_stored(store: ResultsStore, stored: _Rows) -> _Rows:
    """The items as they were last: those of now, and those that left.

    `stored`: the items of now. Raises StoreError for a damaged document.
    """
    now = {row["item_id"] for row in stored}
    return [*stored, *(row for id, row in _former(store).items() if id not in now)]


def keep_former(store: ResultsStore, now: Collection[str]) -> None:
    """Remember what leaves where the items are these `now`, and forget what has come back.

    What comes back now stays known until it is stored: until then a run may be killed.
    """
    stored, known, stay = store.read("items").to_pylist(), _former(store), set(now)
    then = {row["item_id"] for row in stored}
    left = [row for row in stored if row["item_id"] not in stay]
    found = {id: row for id, row in known.items() if id not in then}
    found |= {row["item_id"]: row for row in _with_results(store, left)}
    if found != known:
        store.update_json(FORMER_ITEMS, lambda _: {"version": 1, "items": found})


def _with_results(store: ResultsStore, items: _Rows) -> _Rows:
    """The items that the study has answers to, or gradings of."""
    answered = set[str]()
    for table in ("solutions", "gradings") if items else ():
        for partition in store.partitions(table):
            answered |= {*store.read(table, [partition], ["item_id"])["item_id"].to_pylist()}
    return [row for row in items if row["item_id"] in answered]


def _former(store: ResultsStore) -> dict[str, dict[str, Any]]:
    document = store.seen_json(FORMER_ITEMS)
    items = {} if document is None else document.get("items")
    if not isinstance(items, dict) or not _are_items(items.values()):
        raise store.damaged(FORMER_ITEMS, "does not hold items as they were")
    return items


def _are_items(rows: Iterable[Any]) -> bool:
    names = {*ITEMS.column_names}
    return all(isinstance(row, dict) and names <= {*row} for row in rows)
