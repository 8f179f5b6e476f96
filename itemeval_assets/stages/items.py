"""items: the benchmark as it was pinned at the first run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.study import Study
from itemeval_assets.core.tables import ITEMS, arrow_schema
from itemeval_assets.engine.datasets import load_items, resolve_revision
from itemeval_assets.storage.layout import DATASET_LOCKS
from itemeval_assets.storage.store import ResultsStore

__all__ = ["changed_datasets", "load", "now"]


def load(study: Study, store: ResultsStore) -> pa.Table:
    """All items in the order of the datasets; rows that did not change keep `created_at`.

    Pins each dataset's revision in dataset_locks.json at first run. Raises DatasetError when
    local data has changed since.
    """
    revisions = _pinned(study, store)
    _refuse_changed_data(study, store)
    rows = load_items(study.config.benchmark, revisions, study.config_dir)
    _write_locks(store, revisions)
    born = {
        tuple(row[name] for name in ITEMS.column_names[:-1]): row["created_at"]
        for row in store.read("items").to_pylist()
    }
    stamp = now()
    stamped = [{**row, "created_at": born.get(tuple(row.values()), stamp)} for row in rows]
    return pa.Table.from_pylist(stamped, schema=arrow_schema(ITEMS))


def changed_datasets(study: Study, store: ResultsStore) -> dict[str, tuple[str, str]]:
    """Local datasets whose content differs from the pinned one: id -> (pinned, now).

    A hub dataset is read at its pinned commit, so it cannot change.
    """
    changed = {}
    locks = _locked(store)
    for dataset in study.config.benchmark.datasets:
        is_local = (study.config_dir / dataset.id).exists()
        if is_local and dataset.id in locks:
            current = resolve_revision(dataset, study.config.benchmark.adapter, study.config_dir)
            if current != locks[dataset.id]:
                changed[dataset.id] = (locks[dataset.id], current)
    return changed


def now() -> str:
    """The present moment as tables record it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pinned(study: Study, store: ResultsStore) -> dict[str, str]:
    """The revision to load of each dataset: the config's, else the lock's, else today's."""
    locks = _locked(store)
    benchmark = study.config.benchmark
    return {
        dataset.id: dataset.revision
        or locks.get(dataset.id)
        or resolve_revision(dataset, benchmark.adapter, study.config_dir)
        for dataset in benchmark.datasets
    }


def _refuse_changed_data(study: Study, store: ResultsStore) -> None:
    for id, (pinned, current) in changed_datasets(study, store).items():
        raise DatasetError(
            f"benchmark.datasets: {id!r} changed since this study pinned it "
            f"({pinned[:12]} then, {current[:12]} now).\n"
            "Restore the data, or give the changed data a study of its own (`study:` name); to "
            f"accept it here, delete its entry in {store.backend.uri(DATASET_LOCKS)}"
        )


def _locked(store: ResultsStore) -> dict[str, str]:
    document = store.read_json(DATASET_LOCKS) or {}
    return {id: entry["revision"] for id, entry in document.get("datasets", {}).items()}


def _write_locks(store: ResultsStore, revisions: Mapping[str, str]) -> None:
    if _locked(store) == dict(revisions):
        return

    def pin(document: dict[str, Any]) -> dict[str, Any]:
        entries = document.get("datasets", {})
        for id, revision in revisions.items():
            if entries.get(id, {}).get("revision") != revision:
                entries[id] = {"revision": revision, "resolved_at": now()}
        return {"version": 1, "datasets": entries}

    store.update_json(DATASET_LOCKS, pin)
