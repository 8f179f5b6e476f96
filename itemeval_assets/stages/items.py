"""items: the benchmark as it was pinned at the first run."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.config.sections import DatasetConfig, TaskBenchmark
from itemeval_assets.core.design.changed_items import (
    HOW_TO_ACCEPT,
    edited_items,
    mark_of,
    named,
)
from itemeval_assets.core.design.sampling import Sample, drawn
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.tables.schemas import ITEMS, arrow_schema
from itemeval_assets.core.tasks.differences import MAKE_IT_STEADY, difference
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.data.datasets import Loaded, load_items, local_path, resolve_revision
from itemeval_assets.engine.data.images import Keep
from itemeval_assets.engine.tasks.data import load_data, require_steady
from itemeval_assets.storage.study.images import drafts
from itemeval_assets.storage.study.inputs.task_lock import task_file
from itemeval_assets.storage.study.layout import DATASET_LOCKS
from itemeval_assets.storage.study.store import ResultsStore

from .changed_items import (
    Outdated,
    all_changed,
    outdated_rows,
    refuse_changed_items,
    withdraw,
)

# Of dataset_locks.json, besides its datasets. What was accepted stays until something else is.
SAMPLE, ACCEPTED = "sample", "accepted_sha256"


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
    at first run, and stores the images; the sample is recorded there. Raises DatasetError when
    local data or images have changed since, and for a sample that cannot be drawn. With
    `accept_changes` the rows of items as they were are withdrawn instead, by `holder`; what is done
    is told to `say`. Where a stored item would become another one, `before_changes` may raise.
    """
    revisions = _pinned(study, store, accept_changes)
    with drafts() as images:
        items = _read(
            study, store, revisions, images.keep, before_changes, accept_changes=accept_changes
        )
        images.store(store.backend)
    _write_locks(study, store, revisions, items)
    if items.mark:
        withdraw(study, store, items.outdated, holder, say)
    return items


def peek(study: Study, store: ResultsStore, *, accept_changes: bool = False) -> Items:
    """The items as `load` would give them. Pins and withdraws nothing. Raises DatasetError."""
    revisions = _pinned(study, store, accept_changes)
    return _read(study, store, revisions, accept_changes=accept_changes)


def known(study: Study, store: ResultsStore) -> Items:
    """The stored items; before the first run, those that it would load. Raises DatasetError."""
    stored = store.read("items")
    if not stored.num_rows:
        return peek(study, store)
    return Items(stored, _stored_sample(store) if study.config.benchmark.sample else None)


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
    known = {} if accept_changes else _known_images(study, store, revisions, stored)
    rows, total = _loaded(study, store, revisions, stored, keep, known, again=accept_changes)
    _refuse_changed_images(known, rows)
    edited = edited_items(stored, rows)
    if edited:
        before_changes()
    outdated = outdated_rows(study, store, edited)
    mark = mark_of(edited) if outdated else None
    if mark and not accept_changes and mark != _accepted(store):
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


def _loaded(
    study: Study,
    store: ResultsStore,
    revisions: Mapping[str, str],
    stored: list[dict[str, Any]],
    keep: Keep | None = None,
    known: Mapping[tuple[str, str], list[str]] = MappingProxyType({}),
    *,
    again: bool = False,
) -> Loaded:
    """`again`: a task is loaded twice also where its data are pinned."""
    benchmark = study.config.benchmark
    if not isinstance(benchmark, TaskBenchmark):
        return load_items(benchmark, revisions, study.config_dir, keep, known)
    file = task_file(benchmark.ref, study.config_dir)
    if again or not _pins(store):
        require_steady(benchmark.ref, file)
    rows = _in_order_of(stored, load_data(benchmark.ref, file, keep).rows, revisions)
    chosen = drawn(rows, benchmark.sample) if benchmark.sample else range(len(rows))
    return Loaded([rows[place] for place in chosen], len(rows))


def _in_order_of(
    stored: list[dict[str, Any]], rows: list[dict[str, Any]], revisions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The items of a task in the order in which they are stored: some shuffle their samples."""
    places = {row["item_id"]: place for place, row in enumerate(stored)}
    return [
        {**row, "dataset_revision": revisions[row["dataset_id"]]}
        for row in sorted(rows, key=lambda row: places.get(row["item_id"], len(places)))
    ]


def _known_images(
    study: Study, store: ResultsStore, revisions: Mapping[str, str], stored: list[dict[str, Any]]
) -> dict[tuple[str, str], list[str]]:
    """The names of the images by dataset and item, as long as column and revision are the same."""
    column = study.config.benchmark.mapping.images
    if column is None:
        return {}
    pinned = {id: (lock.get(IMAGES), lock["revision"]) for id, lock in _pins(store).items()}
    same = {id for id, revision in revisions.items() if pinned.get(id) == (column, revision)}
    return {
        (row["dataset_id"], row["item_id"]): json.loads(row["metadata_json"]).get(IMAGES, [])
        for row in stored
        if row["dataset_id"] in same
    }


def _refuse_changed_images(
    known: Mapping[tuple[str, str], list[str]], rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        before = known.get((row["dataset_id"], row["item_id"]))
        if before is not None and before != json.loads(row["metadata_json"])[IMAGES]:
            raise DatasetError(
                f"benchmark.mapping.images: an image of item {row['item_id']!r} of "
                f"{row['dataset_id']!r} changed since this study stored it; restore it, or give "
                f"the changed data a study of its own (`study:` name).\n{HOW_TO_ACCEPT}"
            )


def changed_datasets(
    study: Study, store: ResultsStore, among: Sequence[DatasetConfig] | None = None
) -> dict[str, tuple[str, str]]:
    """Local datasets whose content differs from the pinned one: id -> (pinned, now).

    A hub dataset is read at its pinned commit, so it cannot change. `among` null: all of them.
    """
    locks = _pins(store)
    changed = {}
    for dataset in study.config.benchmark.datasets if among is None else among:
        pinned = locks.get(dataset.id, {}).get("revision")
        if pinned is None or not _can_change(study, dataset):
            continue
        current = _revision(study, dataset, pinned)
        if current != pinned:
            changed[dataset.id] = (pinned, current)
    return changed


def are_pinned(study: Study, store: ResultsStore) -> bool:
    """Whether it is known which revision of each dataset the items are of."""
    return {dataset.id for dataset in study.config.benchmark.datasets} <= {*_pins(store)}


def refuse_changed_data(
    study: Study, store: ResultsStore, stored: list[dict[str, Any]] | None = None
) -> None:
    """Raise DatasetError for the first dataset whose content differs from the pinned one.

    `stored`: the rows of the items; null: read where the message needs them.
    """
    for id, (pinned, current) in changed_datasets(study, store).items():
        stored = store.read("items").to_pylist() if stored is None else stored
        raise DatasetError(
            f"benchmark.datasets: {id!r} changed since this study pinned it "
            f"({pinned[:12]} then, {current[:12]} now).{_changed_words(study, store, stored)}\n"
            "Restore the data, or give the changed data a study of its own (`study:` name).\n"
            f"{HOW_TO_ACCEPT}"
        )


def _can_change(study: Study, dataset: DatasetConfig) -> bool:
    """Whether data are read as they are today, and not at a pinned commit."""
    benchmark = study.config.benchmark
    is_local = partial(local_path, dataset, benchmark.adapter, study.config_dir)
    return isinstance(benchmark, TaskBenchmark) or is_local() is not None


def _revision(study: Study, dataset: DatasetConfig, pinned: str | None = None) -> str:
    benchmark = study.config.benchmark
    if isinstance(benchmark, TaskBenchmark):
        data = load_data(benchmark.ref, task_file(benchmark.ref, study.config_dir))
        return data.revision(pinned)
    return resolve_revision(dataset, benchmark.adapter, study.config_dir)


def now() -> str:
    """The present moment as tables record it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pinned(study: Study, store: ResultsStore, accept_changes: bool) -> dict[str, str]:
    """The revision to load of each dataset: the pinned one, until the config asks for another.

    With `accept_changes` local data are taken as they are now.
    """
    locks, benchmark = _pins(store), study.config.benchmark
    revisions = {}
    for dataset in benchmark.datasets:
        lock = locks.get(dataset.id, {})
        if lock and dataset.revision in (None, lock["revision"], lock.get("requested")):
            revisions[dataset.id] = lock["revision"]
        else:
            revisions[dataset.id] = _revision(study, dataset)
    if accept_changes:
        revisions |= {id: now for id, (_, now) in changed_datasets(study, store).items()}
    return revisions


def _changed_words(study: Study, store: ResultsStore, stored: list[dict[str, Any]]) -> str:
    """Which items with answers or gradings are others now; nothing where the data are damaged."""
    try:
        rows, _ = _loaded(study, store, _pinned(study, store, True), stored)
    except DatasetError:
        return ""
    of_task = _difference(stored, rows) if study.config.benchmark.ref and stored else ""
    edited = edited_items(stored, rows)
    changed = all_changed(edited, outdated_rows(study, store, edited))
    if not changed:
        return f"{of_task} No item that has answers or gradings is another one now."
    count = counted(len(changed), "item")
    return f"{of_task} {count} with answers or gradings changed: {named(changed)}."


def _difference(stored: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    """Which sample of a task is another one."""
    return f" First change: {difference(stored, rows)}. If nobody changed it: {MAKE_IT_STEADY}."


def _pins(store: ResultsStore) -> dict[str, dict[str, Any]]:
    """The pinned revisions; none yet while no result depends on them."""
    return {} if store.has_loose_pins() else _locks(store)


def _locks(store: ResultsStore) -> dict[str, dict[str, Any]]:
    """The pinned revisions by dataset id. Raises StoreError where the file says something else."""
    document = store.seen_json(DATASET_LOCKS)
    locks = {} if document is None else document.get("datasets")
    if not isinstance(locks, dict) or not all(
        isinstance(lock, dict)
        and isinstance(lock.get("revision"), str)
        and isinstance(lock.get("requested", ""), str)
        for lock in locks.values()
    ):
        raise store.damaged(DATASET_LOCKS, "names no revisions of datasets")
    return locks


def _accepted(store: ResultsStore) -> str | None:
    """The mark of the changes that were accepted last."""
    return (store.seen_json(DATASET_LOCKS) or {}).get(ACCEPTED)


def _stored_sample(store: ResultsStore) -> Sample | None:
    """What the stored items are a sample of."""
    found = (store.seen_json(DATASET_LOCKS) or {}).get(SAMPLE)
    if found is None:
        return None
    try:
        return Sample.of_record(found)
    except (TypeError, ValueError) as error:
        raise store.damaged(DATASET_LOCKS, "tells no sample of items") from error


def _write_locks(
    study: Study, store: ResultsStore, revisions: Mapping[str, str], items: Items
) -> None:
    sample = items.sample

    def pin(document: dict[str, Any]) -> dict[str, Any]:
        locks = dict(document.get("datasets", {}))
        for dataset in study.config.benchmark.datasets:
            revision, lock = revisions[dataset.id], locks.get(dataset.id, {})
            known = (None, revision, lock.get("requested"))
            if lock.get("revision") != revision or dataset.revision not in known:
                requested = {} if dataset.revision is None else {"requested": dataset.revision}
                locks[dataset.id] = {"revision": revision, **requested, "resolved_at": now()}
            if column := study.config.benchmark.mapping.images:
                locks[dataset.id] = {**locks[dataset.id], IMAGES: column}
        kept = {SAMPLE: sample and sample.record, ACCEPTED: items.mark or document.get(ACCEPTED)}
        return {"version": 1, "datasets": locks, **{k: v for k, v in kept.items() if v}}

    before = {**(store.seen_json(DATASET_LOCKS) or {}), "datasets": _locks(store)}
    if pin(before) != {"version": 1, **before}:
        store.update_json(DATASET_LOCKS, pin)
