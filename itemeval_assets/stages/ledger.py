"""The ledgers: what each run spent, booked from the logs the moment their rows are stored."""

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from itemeval_assets.core.ledger import (
    MONEY_COLUMNS,
    VERIFIABLE,
    Mismatch,
    ledger_from_logs,
    reconcile,
    united_ledger,
)
from itemeval_assets.core.study import GENERATE, GRADE, Partition
from itemeval_assets.core.tables import LEDGER, REPLACED, arrow_schema
from itemeval_assets.storage.store import ResultsStore

from .items import now
from .stage_run import Outcome

__all__ = ["book", "calls_of_runs", "mismatches", "united", "usd_of_runs"]


def book(store: ResultsStore, outcome: Outcome, run_id: str) -> pa.Table:
    """Index the logs of an outcome, and return the ledger rows of their partitions.

    Called after the rows are stored: a log that is indexed has its rows in the tables, and
    one that is not is read again by the next run. A ledger whose file is gone is made anew.
    """
    booked = [arrow_schema(LEDGER).empty_table()]
    for partition, entries in outcome.log_index.items():
        lost = pa.Table.from_pylist(outcome.lost[partition], schema=arrow_schema(REPLACED))
        store.upsert("replaced", partition, lost)
        index = store.upsert("log_index", partition, entries).rows
        booked.append(ledger_from_logs(index))
    for partition in outcome.pending.keys() - outcome.log_index.keys():
        if not store.has("ledger", partition):
            booked.append(ledger_from_logs(store.read("log_index", [partition])))
    booked.append(_verifiable_rows(outcome.rows, run_id))
    return pa.concat_tables(booked)


def united(store: ResultsStore) -> pa.Table:
    """The ledger of the whole study, to the seed's key."""
    return united_ledger(store.read("ledger"))


def calls_of_runs(store: ResultsStore, run_ids: Collection[str]) -> list[dict[str, Any]]:
    """Ledger rows of the calls of these runs; scorers call nobody."""
    if not run_ids:
        return []
    return [
        row
        for row in store.read("ledger").to_pylist()
        if row["run_id"] in run_ids and row["model"] != VERIFIABLE
    ]


def usd_of_runs(store: ResultsStore, run_ids: Collection[str]) -> float:
    """What the calls of these runs have cost."""
    return sum(row["usd"] or 0.0 for row in calls_of_runs(store, run_ids))


def mismatches(store: ResultsStore) -> list[Mismatch]:
    """Where the ledger and the rows differ; empty when the study reconciles."""
    stored = (
        (stage, store.read(table, [partition], MONEY_COLUMNS))
        for table, stage in (("solutions", GENERATE), ("gradings", GRADE))
        for partition in store.partitions(table)
    )
    return reconcile(store.read("ledger"), stored, store.read("replaced"))


def _verifiable_rows(gradings: pa.Table, run_id: str) -> pa.Table:
    """Scorers call nobody: one ledger row per partition, for nothing."""
    counts: dict[Partition, int] = {}
    if "grade_kind" in gradings.column_names:
        columns = ["gen_condition_id", "grade_condition_id", "grade_kind"]
        for row in gradings.select(columns).to_pylist():
            if row["grade_kind"] == "verifiable":
                partition = (row["gen_condition_id"], row["grade_condition_id"])
                counts[partition] = counts.get(partition, 0) + 1
    rows = [
        {
            "run_id": run_id,
            "stage": GRADE,
            "condition_id": grade,
            "gen_condition_id": generate,
            "model": VERIFIABLE,
            "calls": count,
            "usd": 0.0,
            "priced": True,
            "batch": False,
            "created_at": now(),
        }
        for (generate, grade), count in counts.items()
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(LEDGER))
