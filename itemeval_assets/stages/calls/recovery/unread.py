"""Which logs can be recovered, by the rules of the runs. No row and no log is written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from itemeval_assets.core.design.partitions import PREFLIGHT, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.records.unread import UnreadLog, can_be_recovered, unread_words
from itemeval_assets.engine.logs.reading import read_log, read_log_header
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore

from ..unfinished import read_unfinished
from .evidence import logs_of_lost_rows, partition_of_log

_PLACE = ("gen_condition_id", "condition_id")


def unread_logs(
    study: Study, store: ResultsStore, rows: Mapping[Partition, int]
) -> list[UnreadLog]:
    """The logs of a study that can be recovered; those of runs at work are left to them.

    `rows`: how many rows there are of calls, of each partition that is looked at.
    """
    # First the logs: one that a run brings home meanwhile is in the index that is read then.
    logs = log_files.all_logs(store.backend)
    index = store.read("log_index", columns=["log_file", *_PLACE, "total_samples"]).to_pylist()
    known = {entry["log_file"] for entry in index}
    unknown = [key for key in logs if key not in known]
    notes = log_files.notes_without_log(store.backend)
    living = set(Reservations(store).amounts()) if unknown or notes else set[str]()
    # A run at work in a bucket removes its notes some time after it has moved its logs.
    orphans = [] if living else [_of_notes(store, key) for key in notes]
    found = [log for key in unknown if (log := _of_stopped_run(study, store, key, living))]
    called = Counter[Partition]()
    for entry in index:
        place = Partition(entry[name] for name in _PLACE if entry[name])
        called[place] += entry["total_samples"] or 0
    fewer = [partition for partition, count in rows.items() if called[partition] > count]
    replaced = store.read_each("replaced", fewer, ["sample_uuid"])
    suspects = [
        partition
        for partition, others in zip(fewer, replaced, strict=True)
        if called[partition] > rows[partition] + others.num_rows
    ]
    return [*found, *orphans, *of_lost_rows(study, store, suspects)]


def _of_notes(store: ResultsStore, key: str) -> UnreadLog:
    place = store.backend.uri(key)
    problem = (
        f"{place} has the tokens of calls whose log is gone. Put the log back beside it; or remove "
        "this file, and the cost of these calls stays out of the ledger"
    )
    return UnreadLog(place, reader=None, problem=problem)


def of_lost_rows(
    study: Study, store: ResultsStore, partitions: Iterable[Partition]
) -> Iterator[UnreadLog]:
    """The booked logs of these partitions that tell of calls whose rows are gone."""
    for partition in partitions:
        label = study.design.label_of(partition)
        for key in logs_of_lost_rows(store, partition):
            place, problem, calls = store.backend.uri(key), None, 0
            try:
                calls = len(read_log(store.backend.local_copy(key), place).samples or [])
            except StoreError as error:
                problem = str(error)
            yield UnreadLog(place, label, calls=calls, is_booked=True, problem=problem)


def in_words(study: Study, found: list[UnreadLog]) -> str:
    """What is to be read, and the command that reads it; empty where nothing is."""
    words = unread_words(found)
    if can_be_recovered(found):
        words.append(f"Recover them: itemeval-assets recover {study.config_path}")
    return "\n".join(words)


def _of_stopped_run(
    study: Study, store: ResultsStore, key: str, living: set[str]
) -> UnreadLog | None:
    """A log that the index does not know; null where its run is at work, or has just moved it."""
    from itemeval_assets.engine.booking import index_rows

    place = store.backend.uri(key)
    try:
        path = store.backend.local_copy(key)
        header = read_log_header(path, place)
        facts = header.eval.metadata or {}
        if facts.get("reserved_by") in living:
            return None
        # Without the prices of today: a log keeps that of its calls.
        log = read_unfinished(store.backend, key)
        found = index_rows(log, str(facts.get("model")), PriceBook())
    except StoreError as error:
        return UnreadLog(place, problem=str(error)) if store.backend.exists(key) else None
    partition = partition_of_log(header)
    known = {*study.partitions()}
    reader = PREFLIGHT.name if facts.get("stage") == PREFLIGHT.name else "recover"
    return UnreadLog(
        place,
        study.design.label_of(partition),
        reader if reader == PREFLIGHT.name or partition in known else None,
        found[0]["total_samples"],
        _in_sum(found),
    )


def _in_sum(found: list[dict[str, Any]]) -> float | None:
    """What the models of a log cost at most, as far as prices are known; null where none is."""
    known = [one["usd"] + one["unmetered_usd"] for one in found if one["usd"] is not None]
    return sum(known) if known else None
