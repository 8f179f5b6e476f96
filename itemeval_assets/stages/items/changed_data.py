"""Local data that changed since a study pinned them: what its stored results are not of.

A run refuses such data. What only reads results goes on, and says so.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from itemeval_assets.core.config.sections import DatasetConfig, TaskBenchmark
from itemeval_assets.core.design.items.changed_items import (
    HOW_TO_ACCEPT,
    HOW_TO_TAKE_IN,
    edited_items,
    named,
)
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.tasks.differences import MAKE_IT_STEADY, difference
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.data.datasets import bytes_on_disk, local_path, resolve_revision
from itemeval_assets.engine.tasks.data import load_data
from itemeval_assets.storage.study.inputs.task_lock import task_file
from itemeval_assets.storage.study.store import ResultsStore

from .changed_items import all_changed, outdated_rows
from .former_items import ever_stored
from .pins import pins
from .rows import rows_of_data

_RESTORE = "restore the data, or give the changed data a study of its own (`study:` name)."
# Of one dataset. Reading more than this would take longer than the command itself.
_MOST_BYTES = 2**26


def revisions_to_load(study: Study, store: ResultsStore, accept_changes: bool) -> dict[str, str]:
    """The revision to load of each dataset: the pinned one, until the config asks for another.

    With `accept_changes` local data are taken as they are now.
    """
    locks, benchmark = pins(store), study.config.benchmark
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


def changed_datasets(
    study: Study, store: ResultsStore, among: Sequence[DatasetConfig] | None = None
) -> dict[str, tuple[str, str]]:
    """Local datasets whose content differs from the pinned one: id -> (pinned, now).

    A hub dataset is read at its pinned commit, so it cannot change. `among` null: all of them.
    """
    locks = pins(store)
    changed = {}
    for dataset in study.config.benchmark.datasets if among is None else among:
        pinned = locks.get(dataset.id, {}).get("revision")
        if pinned is None or not _can_change(study, dataset):
            continue
        current = _revision(study, dataset, pinned)
        if current != pinned:
            changed[dataset.id] = (pinned, current)
    return changed


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
            f"({pinned[:12]} then, {current[:12]} now).{_what_and_how(study, store, stored)}"
        )


def notes_on_data(study: Study, store: ResultsStore) -> list[str]:
    """Sentences on a roster that is another one now, and on local datasets whose bytes are others.

    Nothing is said of data of the hub and of tasks, of data that are gone, and of large ones.
    """
    benchmark, roster = study.config.benchmark, study.snapshot.roster
    of_models = [roster.change] if roster and roster.change else []
    if isinstance(benchmark, TaskBenchmark):
        return of_models
    changed = [one.id for one in benchmark.datasets if _is_changed(study, store, one)]
    if not changed:
        return of_models
    names = ", ".join(map(repr, changed))
    return [
        *of_models,
        f"{names} changed since this study pinned {'it' if len(changed) == 1 else 'them'}: these"
        " figures are of the data as they were; `run` tells which items changed.",
    ]


def _is_changed(study: Study, store: ResultsStore, dataset: DatasetConfig) -> bool:
    # With a `revision`, changed data are an error.
    dataset = dataset.model_copy(update={"revision": None})
    try:
        size = bytes_on_disk(dataset, study.config.benchmark.adapter, study.config_dir)
        return size <= _MOST_BYTES and bool(changed_datasets(study, store, [dataset]))
    except (DatasetError, OSError):
        return False


def _can_change(study: Study, dataset: DatasetConfig) -> bool:
    """Whether data are read as they are today, and not at a pinned commit."""
    benchmark = study.config.benchmark
    if benchmark.from_logs:
        return False
    is_local = partial(local_path, dataset, benchmark.adapter, study.config_dir)
    return isinstance(benchmark, TaskBenchmark) or is_local() is not None


def _revision(study: Study, dataset: DatasetConfig, pinned: str | None = None) -> str:
    benchmark = study.config.benchmark
    if benchmark.from_logs:
        raise DatasetError(
            f"benchmark: no log of {benchmark.datasets[0].id!r} has come in yet, so there are no "
            f"items. Take logs in: itemeval-assets import LOGS {study.config_path}"
        )
    if isinstance(benchmark, TaskBenchmark):
        data = load_data(benchmark.ref, task_file(benchmark.ref, study.config_dir))
        return data.revision(pinned)
    return resolve_revision(dataset, benchmark.adapter, study.config_dir)


def _what_and_how(study: Study, store: ResultsStore, stored: list[dict[str, Any]]) -> str:
    """Which items are new, gone or others now, and what to do: first what costs least.

    Nothing is said of items where the data are damaged.
    """
    try:
        rows, _ = rows_of_data(study, store, revisions_to_load(study, store, True), stored)
    except DatasetError:
        return f"\n{_RESTORE.capitalize()}\n{HOW_TO_ACCEPT}"
    of_task = _difference(stored, rows) if study.config.benchmark.ref and stored else ""
    edited = edited_items(ever_stored(store, stored), rows)
    changed = all_changed(edited, outdated_rows(study, store, edited))
    what = f"{of_task}{_come_and_gone(stored, rows)}"
    if not changed:
        same = "No item that has answers or gradings is another one now."
        return f"{what} {same}\n{HOW_TO_TAKE_IN}.\nOr {_RESTORE}"
    count = counted(len(changed), "item")
    others = f"{count} with answers or gradings changed: {named(changed)}."
    return f"{what} {others}\n{_RESTORE.capitalize()}\n{HOW_TO_ACCEPT}"


def _come_and_gone(stored: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    """The items that the study has not yet, and those that the data have no more."""
    then, now = ([row["item_id"] for row in those] for those in (stored, rows))
    new, gone = _without(now, then), _without(then, now)
    return "".join(
        f" {counted(len(ids), 'item')} {'is' if len(ids) == 1 else 'are'} {word}: {named(ids)}."
        for word, ids in (("new", new), ("gone", gone))
        if ids
    )


def _without(ids: list[str], others: list[str]) -> list[str]:
    known = {*others}
    return [id for id in ids if id not in known]


def _difference(stored: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    """Which sample of a task is another one."""
    return f" First change: {difference(stored, rows)}. If nobody changed it: {MAKE_IT_STEADY}."
