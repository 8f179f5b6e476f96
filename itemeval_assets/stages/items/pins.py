"""dataset_locks.json: the pinned revision of each dataset, the sample, and the accepted changes."""

from collections.abc import Mapping
from typing import Any

from itemeval_assets.core.design.items.sampling import Sample
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.text.times import now
from itemeval_assets.storage.study.layout import DATASET_LOCKS
from itemeval_assets.storage.study.store import ResultsStore

# Besides the datasets. What was accepted stays until something else is.
SAMPLE, ACCEPTED = "sample", "accepted_sha256"


def pins(store: ResultsStore) -> dict[str, dict[str, Any]]:
    """The pinned revisions; none yet while no result depends on them."""
    return {} if store.has_loose_pins() else _locks(store)


def are_pinned(study: Study, store: ResultsStore) -> bool:
    """Whether it is known which revision of each dataset the items are of."""
    return {dataset.id for dataset in study.config.benchmark.datasets} <= {*pins(store)}


def accepted_mark(store: ResultsStore) -> str | None:
    """The mark of the changes that were accepted last."""
    return (store.seen_json(DATASET_LOCKS) or {}).get(ACCEPTED)


def stored_sample(store: ResultsStore) -> Sample | None:
    """What the stored items are a sample of."""
    found = (store.seen_json(DATASET_LOCKS) or {}).get(SAMPLE)
    if found is None:
        return None
    try:
        return Sample.of_record(found)
    except (TypeError, ValueError) as error:
        raise store.damaged(DATASET_LOCKS, "tells no sample of items") from error


def write_locks(
    study: Study,
    store: ResultsStore,
    revisions: Mapping[str, str],
    sample: Sample | None,
    mark: str | None,
) -> None:
    """Pin these revisions, and record the sample and what was accepted (`mark`)."""

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
        kept = {SAMPLE: sample and sample.record, ACCEPTED: mark or document.get(ACCEPTED)}
        return {"version": 1, "datasets": locks, **{k: v for k, v in kept.items() if v}}

    before = {**(store.seen_json(DATASET_LOCKS) or {}), "datasets": _locks(store)}
    if pin(before) != {"version": 1, **before}:
        store.update_json(DATASET_LOCKS, pin)


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
