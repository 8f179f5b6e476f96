"""The ledger of calls that cost something and brought an error."""

from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import LOG_INDEX, SOLUTIONS, TOKEN_COLUMNS, arrow_schema
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import ledger
from itemeval_assets.stages.calls.recovery.evidence import lost_costs
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.rows import solution
from tests.studies import write_study

TOKENS = {
    **dict.fromkeys(TOKEN_COLUMNS),
    "input_tokens": 10,
    "output_tokens": 20,
    "total_tokens": 30,
}


def test_a_call_with_an_error_and_a_cost_reconciles(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    store, partition = open_store(study), study.generate_partitions()[0]
    paid = {"usd": 0.0, "lost_usd": 0.25, "error": "content refused", "solution": None}
    row = solution(condition_id=partition[0], run_id="r1", sample_uuid="u1") | TOKENS | paid
    outcome = Outcome(
        rows=pa.Table.from_pylist([row], schema=arrow_schema(SOLUTIONS)),
        log_index={partition: index_of(row)},
        lost={partition: list(lost_costs(partition, [row]))},
    )
    write(store, partition, outcome)
    assert ledger.mismatches(store) == []
    assert store.read("ledger")["usd"].to_pylist() == [0.25]
    assert store.read("solutions")["usd"].to_pylist() == [0.0]
    write(store, partition, outcome)
    assert ledger.mismatches(store) == []


def test_a_partition_is_judged_when_its_run_has_booked_it(tmp_path: Path):
    """Rows are stored before they are booked: until then a living run answers for both."""
    study = load_study(write_study(tmp_path, models=["mockllm/a", "mockllm/b"]))
    store, (partition, other) = open_store(study), study.generate_partitions()
    with store.claimed([partition], "a living run", lambda *_: None):
        outcome = stored_but_not_booked(store, partition)
        assert ledger.judge(store) == ([], [partition])
        book(store, partition, outcome)
        assert ledger.judge(store) == ([], [])
        stored_but_not_booked(store, other)
        [found, *_] = ledger.mismatches(store)
        assert found.partition == other
    book(store, other, stored_but_not_booked(store, other))
    assert ledger.judge(store) == ([], [])


def test_a_killed_run_leaves_a_mismatch_that_is_seen(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    store, partition = open_store(study), study.generate_partitions()[0]
    with store.claimed([partition], "a run that dies here", lambda *_: None):
        stored_but_not_booked(store, partition)
        assert ledger.mismatches(store) == []
    found = ledger.mismatches(store)
    assert {mismatch.quantity for mismatch in found} >= {"usd", "total_tokens"}


def stored_but_not_booked(store: ResultsStore, partition: Partition) -> Outcome:
    row = solution(condition_id=partition[0], run_id="r1", sample_uuid=f"u-{partition[0]}") | TOKENS
    row |= {"usd": 0.25, "lost_usd": 0.25, "log_file": f"{partition[0]}.eval"}
    rows = pa.Table.from_pylist([row], schema=arrow_schema(SOLUTIONS))
    store.upsert("solutions", partition, rows)
    return Outcome(rows=rows, log_index={partition: index_of(row)}, lost={partition: []})


def book(store: ResultsStore, partition: Partition, outcome: Outcome) -> None:
    store.upsert("bookings", partition, ledger.book(store, outcome, "r1"))
    ledger.settle(store, outcome)


def write(store: ResultsStore, partition: Partition, outcome: Outcome) -> None:
    store.upsert("solutions", partition, outcome.rows)
    book(store, partition, outcome)


def index_of(row: dict[str, Any]) -> pa.Table:
    """The log index of one call, as its log's header tells it."""
    entry = {
        **{name: row[name] for name in ("log_file", "run_id", "condition_id", "created_at")},
        **TOKENS,
        "stage": "generate",
        "model": row["model"],
        "total_samples": 1,
        "usd": row["lost_usd"],
        "priced": True,
        "batch": False,
    }
    return cast(pa.Table, pa.Table.from_pylist([entry], schema=arrow_schema(LOG_INDEX)))
