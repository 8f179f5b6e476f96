"""Asset checks: exactly the partitions that break a rule fail, whatever a run covers."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import stages
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.layout import EXPORT_LONG_PARQUET
from tests.defs.runs import (
    GRADINGS,
    SOLUTIONS,
    Runs,
    failed,
    message,
    planted,
    runs_of,
    toy_study,
)
from tests.studies import write_study

BLOCKING = {
    ("items", "dataset_unchanged"),
    ("solutions", "keys_unique"),
    ("gradings", "keys_unique"),
    ("gradings", "parse_ok_invariant"),
    ("gradings_long", "keys_unique"),
    ("ledger", "ledger_reconciles"),
}
WARNING = {
    ("solutions", "no_errored_rows"),
    ("solutions", "complete"),
    ("gradings", "no_errored_rows"),
    ("gradings", "complete"),
}


def test_the_checks_and_which_of_them_block(finished: Runs) -> None:
    graph = finished.job.asset_layer.asset_graph
    found = {(key.asset_key.path[-1], key.name): graph.get(key) for key in graph.asset_check_keys}
    assert {name for name, check in found.items() if check.blocking} == BLOCKING
    assert {name for name, check in found.items() if not check.blocking} == WARNING
    assert all(check.description for check in found.values())


def test_a_range_leaves_a_result_per_partition_and_one_of_its_own(finished: Runs) -> None:
    storage = finished.instance.event_log_storage
    for asset, partitions in (
        ("solutions", finished.study.generate_partitions()),
        ("gradings", finished.study.grade_partitions()),
    ):
        key = dg.AssetCheckKey(dg.AssetKey(["toy", asset]), "no_errored_rows")
        history = storage.get_asset_check_execution_history(key, limit=50)
        keys = {record.partition for record in history}
        assert keys == {None, *map(finished.keys.of, partitions)}
        assert {record.status.value for record in history} == {"SUCCEEDED"}
        for record in history:
            target = record.evaluation.target_materialization_data if record.evaluation else None
            assert (target is not None and target.run_id == record.run_id) or not record.partition
        assert history[0].partition is None  # what the UI shows as the latest execution


@pytest.fixture
def defects(copied: Runs) -> Runs:
    """A partition with a repeated key, one with an errored row, one that lacks a row."""
    repeated, errored, lacking, _ = copied.study.generate_partitions()
    for partition, change in (
        (repeated, lambda rows: [*rows, rows[0]]),
        (errored, lambda rows: [{**rows[0], "error": "Timeout\nand more"}, *rows[1:]]),
        (lacking, lambda rows: rows[1:]),
    ):
        rows = copied.store.read("solutions", [partition]).to_pylist()
        planted(copied, "solutions", partition, change(rows))
    return copied


@pytest.fixture
def expected(defects: Runs) -> set[tuple[str, str, str | None]]:
    repeated, errored, lacking, _ = map(defects.keys.of, defects.study.generate_partitions())
    return {
        ("solutions", "keys_unique", repeated),
        ("solutions", "no_errored_rows", errored),
        ("solutions", "complete", errored),
        ("solutions", "complete", lacking),
        *(("solutions", name, None) for name in ("keys_unique", "no_errored_rows", "complete")),
    }


def test_in_a_range_exactly_the_broken_partitions_fail(defects: Runs, expected) -> None:
    result = defects.run(checks=["solutions"], span=defects.study.generate_partitions())
    assert failed(result) == expected
    assert not result.success and "1 blocking asset check failed" in message(result)
    found = {(e.check_name, e.partition): e for e in result.get_asset_check_evaluations()}
    errored = defects.keys.of(defects.study.generate_partitions()[1])
    warning = found["no_errored_rows", errored]
    assert warning.severity == dg.AssetCheckSeverity.WARN
    assert warning.description == "1 row: item_id q1, epoch 1"
    table = warning.metadata["first of them"]
    assert isinstance(table, dg.TableMetadataValue)
    [row] = table.records
    assert row.data["item_id"] == "q1" and "Timeout" in str(row.data["error"])
    of_the_range = found["complete", None]
    assert (of_the_range.description or "").startswith("Fails in 2 of 4 partitions")
    assert of_the_range.metadata["partitions failed"].value == 2


def test_a_run_is_complete_by_the_policy_it_was_asked_for(tmp_path: Path) -> None:
    with runs_of(load_study(write_study(tmp_path, items=3, graders=()))) as runs:
        [partition] = runs.study.generate_partitions()
        runs.run(["items"])
        assert failed(runs.run(SOLUTIONS, only=partition, config={"policy": "dev"})) == set()
        of_the_study = failed(runs.run(checks=["solutions"]))
        assert of_the_study == {("solutions", "complete", runs.keys.of(partition))}


def test_without_a_choice_of_partition_every_stored_one_is_checked(defects: Runs, expected) -> None:
    assert failed(defects.run(checks=["solutions"])) == expected
    key = dg.AssetCheckKey(dg.AssetKey(["toy", "solutions"]), "complete")
    latest = defects.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
    assert latest[key].status.value == "FAILED"  # a partition that passed would hide it


def test_one_partition_alone_leaves_one_result_with_its_rows(copied: Runs) -> None:
    broken, sound = copied.study.grade_partitions()[:2]
    rows = copied.store.read("gradings", [broken]).to_pylist()
    planted(copied, "gradings", broken, [{**rows[0], "score": None}, *rows[1:]])
    result = copied.run(GRADINGS, only=broken)
    assert failed(result) == {("gradings", "parse_ok_invariant", copied.keys.of(broken))}
    found = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert len(found) == len(result.get_asset_check_evaluations())
    assert "first of them" in found["parse_ok_invariant"].metadata
    assert not result.success and materialized(result) == {"gradings", "grading_ledger"}
    assert failed(copied.run(GRADINGS, only=sound)) == set()


def test_a_range_of_one_partition_is_one_partition(defects: Runs) -> None:
    repeated = defects.study.generate_partitions()[0]
    result = defects.run(checks=["solutions"], span=[repeated])
    assert failed(result) == {("solutions", "keys_unique", defects.keys.of(repeated))}
    assert not result.success


def test_a_blocking_check_stops_what_is_downstream_in_the_same_run(copied: Runs) -> None:
    broken = copied.study.grade_partitions()[2]
    rows = copied.store.read("gradings", [broken]).to_pylist()
    planted(copied, "gradings", broken, [{**rows[0], "parse_ok": False}, *rows[1:]])
    result = copied.run(GRADINGS, span=copied.study.grade_partitions())
    assert failed(result) == {
        ("gradings", "parse_ok_invariant", copied.keys.of(broken)),
        ("gradings", "parse_ok_invariant", None),
    }
    assert not result.success
    assert materialized(result) == {"gradings", "grading_ledger"}


def test_changed_data_fail_the_check_and_the_asset(copied: Runs) -> None:
    with (copied.study.config_dir / "items.jsonl").open("a") as file:
        file.write("\n")
    alone = copied.run(checks=["items"])
    assert failed(alone) == {("items", "dataset_unchanged", None)} and not alone.success
    loading = copied.run(["items"])
    assert not loading.success and "changed since this study pinned it" in message(loading)


@pytest.fixture
def tampered(copied: Runs) -> Runs:
    partition = copied.study.generate_partitions()[0]
    rows = copied.store.read("bookings", [partition]).to_pylist()
    planted(copied, "bookings", partition, [{**rows[0], "usd": rows[0]["usd"] + 1}])
    return copied


def test_a_tampered_ledger_does_not_reconcile_and_the_export_does_not_run(tampered: Runs) -> None:
    before = exported(tampered)
    result = tampered.run(["ledger", "export"])
    assert failed(result) == {("ledger", "ledger_reconciles", None)} and not result.success
    assert materialized(result) == {"ledger"}
    assert exported(tampered) == before


def test_no_check_takes_rows_that_a_run_is_about_to_book_for_lost_money(
    fresh: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of another run looks between the rows of this run and its bookings."""
    seen, book = [], stages.ledger.book

    def looked_at(store: Any, *rest: Any) -> Any:
        assert store.read("solutions").num_rows and not store.read("bookings").num_rows
        seen.append(stages.ledger.judge(store))
        return book(store, *rest)

    monkeypatch.setattr(stages.ledger, "book", looked_at)
    assert fresh.run(["items"]).success
    assert fresh.run(SOLUTIONS, span=fresh.study.generate_partitions()).success
    [judged] = seen
    assert judged.mismatches == []
    assert judged.in_progress == sorted(fresh.study.generate_partitions())
    assert stages.ledger.judge(fresh.store) == ([], [])
    assert fresh.store.read("ledger").num_rows == len(fresh.study.generate_partitions())


def test_an_export_asked_for_alone_refuses_unsound_tables(tampered: Runs) -> None:
    before = exported(tampered)
    result = tampered.run(["export"])
    assert not result.success and "the ledger does not reconcile" in message(result)
    assert exported(tampered) == before


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    events = result.get_asset_materialization_events()
    return {event.asset_key.path[-1] for event in events if event.asset_key}


def exported(runs: Runs) -> tuple[Any, ...]:
    path = Path(runs.study.location) / EXPORT_LONG_PARQUET
    return path.read_bytes(), path.stat().st_mtime_ns


def test_a_study_that_never_ran_is_not_complete(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    with runs_of(study) as runs:
        result = runs.run(checks=["solutions", "gradings"])
    assert failed(result) == {
        *(("solutions", "complete", runs.keys.of(part)) for part in study.generate_partitions()),
        *(("gradings", "complete", runs.keys.of(part)) for part in study.grade_partitions()),
        ("solutions", "complete", None),
        ("gradings", "complete", None),
    }
