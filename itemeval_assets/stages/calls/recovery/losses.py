"""What a study has lost: booked calls whose log is gone, and rows with it; answers never logged."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import nullcontext, suppress

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import EvidenceLost, RunFailed
from itemeval_assets.core.money.ledger import is_nobody, losses_of
from itemeval_assets.core.money.losses import LOST, Loss, accepted_row, losses_words
from itemeval_assets.core.tables.schemas import REPLACED, arrow_schema
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.core.text.times import now
from itemeval_assets.stages.ledger import Held, held, with_tables
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.layout import LOGS
from itemeval_assets.storage.study.store import ResultsStore

from .evidence import partitions_to_mend

# Runs of a partition, each with its log that is gone; LOST where not even its name is known.
Gone = dict[str, str]


def losses(
    study: Study,
    store: ResultsStore,
    partitions: Collection[Partition] | None = None,
    *,
    is_held: bool = False,
) -> list[Loss]:
    """What these partitions (null: all) have lost. No row and no log is written.

    Of logs that are still there nothing is lost: a run, or `recover`, reads them first. Partitions
    that a run is at work in are left to it, unless the caller holds their claims (`is_held`).
    """
    found = []
    for partition, gone in _without_logs(store, partitions):
        # A look that others may write into; what it finds is looked at again.
        if _lost(store, partition, gone):
            with suppress(Held), nullcontext() if is_held else held(store, partition):
                found += _lost(store, partition, gone)
    return [loss._replace(condition=_label(study, loss)) for loss in found]


def require_no_loss(
    study: Study,
    store: ResultsStore,
    partitions: Collection[Partition] | None = None,
    *,
    is_held: bool = False,
) -> None:
    """Raise EvidenceLost, which says what is lost and what can be done, where something is."""
    found = losses(study, store, partitions, is_held=is_held)
    if found:
        facts = {
            "calls": sum(loss.calls for loss in found),
            "usd": sum(loss.usd or 0.0 for loss in found),
            "total_tokens": sum(loss.tokens["total_tokens"] or 0 for loss in found),
        }
        raise EvidenceLost(in_words(study, found), facts)


def in_words(study: Study, found: list[Loss]) -> str:
    """What is lost, and what can be done."""
    return (
        "the ledger has paid calls of which neither a row nor a .eval log is left:\n"
        f"{losses_words(found)}\n"
        "Restore the logs from a copy and run `itemeval-assets recover`; or accept the loss: "
        f"itemeval-assets recover {study.config_path} --accept-loss\n"
        "What was paid then stays in the ledger, and the next run calls the missing cells again"
    )


def accept(study: Study, store: ResultsStore) -> list[Loss]:
    """Record every loss in `replaced`, so that ledger and rows agree; those that were recorded.

    Each under the claim of its partition: one that a run is at work in is left alone.
    """
    accepted = []
    for partition, gone in _without_logs(store, None):
        if not _lost(store, partition, gone):
            continue
        with suppress(Held), held(store, partition):
            found = _lost(store, partition, gone)
            rows = [
                accepted_row(loss, gone[loss.run_id], now(), uuid.uuid4().hex) for loss in found
            ]
            table = pa.Table.from_pylist(rows, schema=arrow_schema(REPLACED))
            store.upsert("replaced", partition, table)
            accepted += found
    return [loss._replace(condition=_label(study, loss)) for loss in accepted]


def _without_logs(
    store: ResultsStore, partitions: Collection[Partition] | None
) -> Iterator[tuple[Partition, Gone]]:
    """The partitions with booked runs of which a log, or the entry of the index, is not there."""
    wanted = [
        partition
        for partition in store.partitions("bookings")
        if partitions is None or partition in partitions
    ]
    there = set(log_files.all_logs(store.backend)) if wanted else set()
    for partition, booked, index in zip(
        wanted,
        store.read_each("bookings", wanted, ["run_id", "model", "calls"]),
        store.read_each("log_index", wanted, ["run_id", "log_file", "total_samples", "calls"]),
        strict=True,
    ):
        logs = index.to_pylist()
        gone = {log["run_id"]: log["log_file"] for log in logs if log["log_file"] not in there}
        indexed, called = Counter[str](), Counter[str]()
        for log in logs:
            calls = log["total_samples"] if log["calls"] is None else log["calls"]
            indexed[log["run_id"]] += calls or 0
        for row in booked.to_pylist():
            called[row["run_id"]] += 0 if is_nobody(row["model"]) else row["calls"]
        for run_id in called - indexed:
            gone.setdefault(run_id, LOST)
        if gone:
            yield partition, gone


def _lost(store: ResultsStore, partition: Partition, gone: Gone) -> list[Loss]:
    """What the runs whose logs are gone have lost; nothing while there is a log to be read."""
    [[_, *tables]] = with_tables(store, partition.stage.table, [partition])
    found = [loss for loss in losses_of(partition, *tables) if loss.run_id in gone]
    return found if found and not partitions_to_mend(store, [partition]) else []


def _label(study: Study, loss: Loss) -> str:
    return study.design.label_of(loss.partition) if loss.partition else loss.stage


def require_whole(study: Study, outcome: Outcome) -> None:
    """Raise RunFailed where inspect ended the calls of a partition early; its rows are stored."""
    if not outcome.broken:
        return
    from itemeval_assets.engine.inspect_folders import inspect_places

    broken = "; ".join(
        f"{study.design.label_of(partition)}: {redacted(error)}"
        for partition, error in outcome.broken.items()
    )
    of_task = "the metrics of the task, and " if study.config.benchmark.ref else ""
    places = ", ".join([study.uri(LOGS), *inspect_places()])
    raise RunFailed(
        f"inspect_ai could not log the calls of {broken}. Check {of_task}that it can write in each "
        f"of {places}. Answers in the log are kept, and what the others cost is in the ledger; "
        "calls that were in flight may be billed, too. The next "
        "run calls the cells that have no answer"
    )
