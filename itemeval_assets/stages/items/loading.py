"""items: the benchmark as it was pinned at the first run."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.items.changed_items import edited_items, mark_of
from itemeval_assets.core.design.items.sampling import Sample
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import ITEMS, arrow_schema
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.data.images import Keep
from itemeval_assets.storage.study.images import drafts
from itemeval_assets.storage.study.inputs.model_lock import keep_roster
from itemeval_assets.storage.study.store import ResultsStore

from .changed_data import refuse_changed_data, revisions_to_load
from .changed_images import known_images, refuse_changed_images
from .changed_items import Outdated, all_changed, outdated_rows, refuse_changed_items, withdraw
from .former_items import ever_stored, keep_former
from .pins import accepted_mark, stored_sample, write_locks
from .rows import rows_of_data


class Items(NamedTuple):
    """The items of a study, and what they are a sample of; null: they are all.

    `changed`: the items that the study has rows of as they were. `outdated`: these rows, by
    partition. `mark`: what is to be accepted; null: nothing has changed.
    """

    table: pa.Table
    sample: Sample | None
    changed: Sequence[str] = ()
    outdated: Outdated = MappingProxyType({})
    mark: str | None = None


def load(
    study: Study,
    store: ResultsStore,
    *,
    before_changes: Callable[[], None] = lambda: None,
    accept_changes: bool = False,
    holder: str = "",
    say: Callable[[str], None] = lambda words: None,
) -> Items:
    """All items in the order of the datasets, or a sample of them in the order of the draw.

    Rows that did not change keep `created_at`. Pins each dataset's revision in dataset_locks.json
    at first run, and stores the images; the sample is recorded there. Locks the roster of the
    models. Raises DatasetError when local data or images have changed since, and for a sample that
    cannot be drawn. With `accept_changes` the rows of items as they were are withdrawn instead, by
    `holder`; what is done is told to `say`. Where a stored item would become another one, or leave,
    `before_changes` may raise.
    """
    revisions = revisions_to_load(study, store, accept_changes)
    with drafts() as images:
        items = _read(
            study, store, revisions, images.keep, before_changes, accept_changes=accept_changes
        )
        images.store(store.backend)
    keep_roster(study)
    keep_former(store, items.table["item_id"].to_pylist())
    write_locks(study, store, revisions, items.sample, items.mark)
    if items.mark:
        withdraw(study, store, items.outdated, holder, say)
    return items


def peek(study: Study, store: ResultsStore, *, accept_changes: bool = False) -> Items:
    """The items as `load` would give them. Pins and withdraws nothing. Raises DatasetError."""
    revisions = revisions_to_load(study, store, accept_changes)
    return _read(study, store, revisions, accept_changes=accept_changes)


def known(study: Study, store: ResultsStore) -> Items:
    """The stored items; before the first run, those that it would load. Raises DatasetError."""
    stored = store.read("items")
    if not stored.num_rows:
        return peek(study, store)
    return Items(stored, stored_sample(store) if study.config.benchmark.sample else None)


def are_stored(store: ResultsStore) -> bool:
    """Whether the study has items: nothing can be generated before."""
    return store.read("items", columns=["item_id"]).num_rows > 0


def _read(
    study: Study,
    store: ResultsStore,
    revisions: Mapping[str, str],
    keep: Keep | None = None,
    before_changes: Callable[[], None] = lambda: None,
    *,
    accept_changes: bool,
) -> Items:
    stored = store.read("items").to_pylist()
    if not accept_changes:
        refuse_changed_data(study, store, stored)
    known = {} if accept_changes else known_images(study, store, revisions, stored)
    rows, total = rows_of_data(study, store, revisions, stored, keep, known, again=accept_changes)
    refuse_changed_images(known, rows)
    edited = edited_items(ever_stored(store, stored), rows)
    if edited or {row["item_id"] for row in stored} - {row["item_id"] for row in rows}:
        before_changes()
    outdated = outdated_rows(study, store, edited)
    mark = mark_of(edited) if outdated else None
    if mark and not accept_changes and mark != accepted_mark(store):
        refuse_changed_items(study, edited, outdated)
    born = {
        tuple(row[name] for name in ITEMS.column_names[:-1]): row["created_at"] for row in stored
    }
    stamp = now()
    stamped = [{**row, "created_at": born.get(tuple(row.values()), stamp)} for row in rows]
    chosen = study.config.benchmark.sample
    sample = Sample(**chosen.model_dump(), of=total) if chosen else None
    table = pa.Table.from_pylist(stamped, schema=arrow_schema(ITEMS))
    return Items(table, sample, all_changed(edited, outdated), outdated, mark)
