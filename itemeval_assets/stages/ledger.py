"""The ledger: what each run spent, booked from the logs the moment their rows are stored.

Of a rubric with criteria one call makes several gradings. It is booked once, under the condition of
their total: rows of criteria have no tokens, usd 0.0 and no sample, and no booking.

A paid step stores, in this order, its rows, what they cost and brought nothing (`replaced`),
its bookings, the ledger, and last the index of its logs. A log that is indexed has all of that
in the tables; one that is not is read again by the next run, with the same result.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.partitions import PAID, STAGES, Partition
from itemeval_assets.core.money.ledger import (
    MONEY_COLUMNS,
    NOBODY,
    Mismatch,
    bookings_of,
    is_nobody,
    ledger_of,
    never_less,
    reconcile,
)
from itemeval_assets.core.tables.schemas import BOOKINGS, LEDGER, LOG_INDEX, REPLACED, arrow_schema
from itemeval_assets.core.tables.upsert import upsert
from itemeval_assets.core.text.times import now
from itemeval_assets.storage.study.store import ResultsStore

from .outcome import Outcome

_IN_ORDER = [(name, "ascending") for name in ("created_at", *LEDGER.key)]


class Judgement(NamedTuple):
    """What a reconciliation found. Partitions `in_progress` were not judged: a run is at work."""

    mismatches: list[Mismatch]
    in_progress: list[Partition]


class Held(Exception):
    """Another run holds a claim."""


def book(store: ResultsStore, outcome: Outcome, run_id: str) -> pa.Table:
    """The bookings of an outcome's partitions, to be stored before `settle`.

    Called after the rows are stored. Bookings that are gone are made anew from the index.
    """
    bring_up_to_date(store)
    lost = {
        partition: pa.Table.from_pylist(rows, schema=arrow_schema(REPLACED))
        for partition, rows in outcome.lost.items()
        if rows
    }
    store.upsert_each("replaced", lost.items())
    booked = [_free_bookings(outcome.rows, run_id)]
    partitions = list(outcome.pending.keys() | outcome.log_index.keys())
    for partition, index, known in zip(
        partitions,
        store.read_each("log_index", partitions),
        store.read_each("bookings", partitions),
        strict=True,
    ):
        new = outcome.log_index.get(partition)
        logs = index if new is None else upsert(LOG_INDEX, index, new).rows
        booked.append(never_less(known, bookings_of(logs)))
    return pa.concat_tables(booked)


def book_free(store: ResultsStore, run_id: str, partition: Partition, count: int) -> None:
    """Store the booking of so many gradings that called nobody, while their step goes on."""
    bring_up_to_date(store)
    row = _free_booking(run_id, partition, count)
    store.upsert("bookings", partition, pa.Table.from_pylist([row], schema=arrow_schema(BOOKINGS)))


def settle(store: ResultsStore, outcome: Outcome) -> None:
    """Bring the ledger up to the bookings of an outcome, and index its logs."""
    partitions = outcome.pending.keys() | outcome.log_index.keys()
    if partitions:
        unite(store, partitions)
    store.upsert_each("log_index", outcome.log_index.items())


def unite(store: ResultsStore, partitions: Collection[Partition] | None = None) -> pa.Table:
    """Write the ledger: what the bookings of these partitions' conditions add up to (null: all).

    Other conditions stay as they are. Returns the whole ledger.
    """
    touched = None if partitions is None else {condition_of(partition) for partition in partitions}
    result: list[pa.Table] = []

    def make(stored: pa.Table | None) -> pa.Table:
        if stored is None or touched is None:
            booked, kept = store.read("bookings"), []
        else:
            found = store.partitions("bookings")
            booked = store.read("bookings", [p for p in found if condition_of(p) in touched])
            places = map(tuple, stored.select(["stage", "condition_id"]).to_pandas().to_numpy())
            is_kept = pa.array([place not in touched for place in places], pa.bool_())
            kept = [stored.filter(is_kept)]
        rows = pa.concat_tables([*kept, ledger_of(booked)])
        result[:] = [rows.sort_by(_IN_ORDER)]
        return result[0]

    store.derive("ledger", make)
    return result[0]


def condition_of(partition: Partition) -> tuple[str, str]:
    """The stage and the condition that bookings of a partition name."""
    return partition.stage.name, partition.condition_id


def bring_up_to_date(store: ResultsStore) -> None:
    """Bring the tables of money to the layout of this version, where an earlier one wrote them."""
    if store.is_older():
        store.bring_up_to_date(lambda: unite(store))


def ledger(store: ResultsStore) -> pa.Table:
    """The ledger of the whole study; of a study that an earlier version wrote, too."""
    return store.read("ledger") if store.has("ledger") else ledger_of(store.read("bookings"))


def calls_of_runs(store: ResultsStore, run_ids: Collection[str]) -> list[dict[str, Any]]:
    """Ledger rows of the calls of these runs; scorers call nobody."""
    if not run_ids:
        return []
    return [
        row
        for row in ledger(store).to_pylist()
        if row["run_id"] in run_ids and not is_nobody(row["model"])
    ]


def unmetered_models(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Models of ledger rows that have a price, and answered without a usage that can be."""
    return sorted({row["model"] for row in rows if not row["priced"] and row["usd"] is not None})


def usd_of_runs(store: ResultsStore, run_ids: Collection[str]) -> float:
    """What the calls of these runs have cost."""
    return sum(row["usd"] or 0.0 for row in calls_of_runs(store, run_ids))


def judge(store: ResultsStore) -> Judgement:
    """Compare the bookings of every partition with its rows.

    Where they differ, both are read again under the partition's claim: a run that holds it may be
    between storing its rows and booking them, and is left to its own end.
    """
    found, in_progress = [], []
    for partition in _suspects(store):
        try:
            with held(store, partition):
                found += _differences(store, partition)
        except Held:
            in_progress.append(partition)
    return Judgement(found, in_progress)


def held(store: ResultsStore, partition: Partition) -> AbstractContextManager[Any]:
    """Hold the claim of a partition. Raises Held where a run has it: nobody is waited for."""
    return store.claimed([partition], f"reconciliation-{uuid.uuid4().hex}", _do_not_wait)


def mismatches(store: ResultsStore) -> list[Mismatch]:
    """Where the ledger and the rows differ; empty when the study reconciles."""
    return judge(store).mismatches


def _suspects(store: ResultsStore) -> list[Partition]:
    """Partitions whose bookings and rows differ at a look that others may write into."""
    stored = (*PAID, "bookings", "replaced")
    known = {partition for table in stored for partition in store.partitions(table)}
    return [
        partition
        for stage in STAGES
        for partition, *tables in with_tables(
            store, stage.table, sorted(part for part in known if part.stage is stage)
        )
        if reconcile(partition, *tables)
    ]


def _differences(store: ResultsStore, partition: Partition) -> list[Mismatch]:
    [[_, *tables]] = with_tables(store, partition.stage.table, [partition])
    return reconcile(partition, *tables)


def with_tables(
    store: ResultsStore, table: str, partitions: list[Partition]
) -> Iterator[tuple[Partition, pa.Table, pa.Table, pa.Table]]:
    """Each partition with its bookings, its rows, and those that they replaced."""
    # The preflight fills no cell.
    rows = store.read_each(table, [part for part in partitions if part], MONEY_COLUMNS)
    nothing = store.read(table, [], MONEY_COLUMNS)
    for partition, booked, lost in zip(
        partitions,
        store.read_each("bookings", partitions),
        store.read_each("replaced", partitions, MONEY_COLUMNS),
        strict=True,
    ):
        yield partition, booked, next(rows) if partition else nothing, lost


def _do_not_wait(partition: Partition, holder: str) -> None:
    raise Held(holder)


def _free_bookings(rows: pa.Table, run_id: str) -> pa.Table:
    """What has no log called nobody: one ledger row per partition, for nothing."""
    counts = Counter[tuple[str, str]]()
    if "gen_condition_id" in rows.column_names:
        free = rows.filter(rows["log_file"].is_null())
        columns = ["gen_condition_id", "grade_condition_id"]
        counts.update(zip(*(free[name].to_pylist() for name in columns), strict=True))
    booked = [_free_booking(run_id, Partition(pair), count) for pair, count in counts.items()]
    return pa.Table.from_pylist(booked, schema=arrow_schema(BOOKINGS))


def _free_booking(run_id: str, partition: Partition, count: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        **partition.columns,
        "model": NOBODY,
        "calls": count,
        "usd": 0.0,
        "priced": True,
        "batch": False,
        "created_at": now(),
    }
