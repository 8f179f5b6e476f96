"""Assets: called as functions, run over ranges and alone, from here and from a shell."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.config import RunConfig
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import Labels, asset_key
from itemeval_assets.defs.assets.study import study_assets
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs, failed, message, runs_of, toy_study


def body(study: Study, asset: str) -> dg.AssetsDefinition:
    """The definition whose function makes an asset."""
    [found] = [a for a in study_assets(study, Labels("toy")) if asset_key(study, asset) in a.keys]
    return found


def outputs(yielded: Any) -> dict[str, pa.Table]:
    return {output.output_name: output.value for output in yielded}


def context(study: Study, partition: Partition) -> Any:
    """A context for a call. Dagster's own lacks the metadata of single partitions."""
    key = PartitionKeys(study).of(partition)
    if partition.stage is GRADE:
        key = dg.MultiPartitionKey(dict(zip(("generate", "grade"), key.split("|"), strict=True)))
    made = dg.build_asset_context(partition_key=key)
    made.add_asset_metadata = lambda *args, **kwargs: None  # type: ignore[method-assign]
    return made


def test_items_called_as_a_function(tmp_path) -> None:
    study = toy_study(tmp_path)
    yielded: Any = body(study, "items")(dg.build_asset_context())
    [result] = yielded
    assert result.value["item_id"].to_pylist() == ["q1", "q2", "q3"]
    assert result.metadata == {"dagster/row_count": 3, "datasets": "items.jsonl"}


def test_solutions_and_gradings_called_as_functions(finished: Runs, tmp_path) -> None:
    study = toy_study(tmp_path / "other")
    condition = study.generate_partitions()[0]
    items = finished.store.read("items")
    made = outputs(body(study, "solutions")(context(study, condition), RunConfig(), items))
    solutions = made["solutions"]
    assert solutions["item_id"].to_pylist() == ["q1", "q2", "q3"]
    assert set(solutions["condition_id"].to_pylist()) == {condition.generate}
    assert made["generation_ledger"]["calls"].to_pylist() == [3]
    scorer = next(p for p in study.grade_partitions() if p[1].startswith("scorer"))
    graded = outputs(body(study, "gradings")(context(study, scorer), RunConfig(), items, solutions))
    assert graded["gradings"]["item_id"].to_pylist() == ["q1", "q2", "q3"]
    assert graded["grading_ledger"]["model"].to_pylist() == ["(verifiable)"]


def test_gradings_long_called_as_a_function(finished: Runs) -> None:
    pair = finished.study.grade_partitions()[1]
    before = finished.store.read("gradings_long", [pair])
    yielded: Any = body(finished.study, "gradings_long")(context(finished.study, pair))
    [result] = yielded
    written = finished.store.read("gradings_long", [pair])
    assert written.equals(before)
    assert written["item_id"].to_pylist() == ["q1", "q2", "q3"]
    assert set(written["gen_condition_id"].to_pylist()) == {pair[0]}
    assert result.data_version is not None


def test_a_range_leaves_metadata_of_its_own_with_each_partition(finished: Runs) -> None:
    for asset, partitions in (
        ("solutions", finished.study.generate_partitions()),
        ("gradings", finished.study.grade_partitions()),
    ):
        found = finished.metadata(asset)
        assert set(found) == set(partitions)
        for partition, metadata in found.items():
            rows = finished.store.read(asset, [partition])
            assert metadata["dagster/partition_row_count"] == rows.num_rows == 3
            assert metadata["rows of this run"] == 3
            assert metadata["errored rows"] == metadata["recovered calls"] == 0
            spent = sum(rows["usd"].to_pylist())
            assert metadata["usd of this run"] == pytest.approx(spent, abs=1e-9)
            assert Path(metadata["path"]) == Path(finished.store.uri(asset, partition))
            paid = not partition[-1].startswith("scorer")
            assert ("logs" in metadata) == paid
            for name in {"path", "logs", "manifest"} & set(metadata):
                assert Path(metadata[name]).exists()
        texts = {metadata["condition"] for metadata in found.values()}
        assert len(texts) == len(partitions)
    graded = finished.metadata("gradings").values()
    assert all(0 <= metadata["mean score"] <= 1 for metadata in graded)


def test_the_other_tables_of_a_range_say_their_rows_by_partition(finished: Runs) -> None:
    counts = {"dagster/partition_row_count": 3}
    pairs = finished.study.grade_partitions()
    found = finished.metadata("gradings_long")
    assert {pair: found[pair].items() >= counts.items() for pair in pairs} == dict.fromkeys(
        pairs, True
    )
    assert finished.metadata("grading_ledger") == {pair: {"rows booked": 1} for pair in pairs}


def test_one_partition_alone_as_the_ui_runs_it(copied: Runs) -> None:
    (generate, *_), (pair, *_) = copied.study.generate_partitions(), copied.study.grade_partitions()
    before = {table: copied.store.read(table) for table in ("solutions", "gradings", "ledger")}
    for assets, partition in ((SOLUTIONS, generate), (GRADINGS, pair)):
        result = copied.run(assets, only=partition)
        assert result.success and not failed(result)
        metadata = copied.metadata(assets[0])[partition]
        assert metadata["rows of this run"] == 0 and metadata["dagster/partition_row_count"] == 3
        assert "manifest" in metadata  # nothing was pending, and it was a run all the same
        for event in result.get_asset_materialization_events():
            assert event.partition == copied.keys.of(partition)
    assert all(copied.store.read(table).equals(rows) for table, rows in before.items())


def test_force_calls_again_what_is_done(copied: Runs) -> None:
    partition = copied.study.generate_partitions()[0]
    assert copied.run(SOLUTIONS, only=partition, config={"force": True}).success
    metadata = copied.metadata("solutions")[partition]
    assert metadata["rows of this run"] == metadata["dagster/partition_row_count"] == 3
    assert copied.run(["ledger", "export"]).success


def test_solutions_without_items_fail_instead_of_turning_green(fresh: Runs) -> None:
    result = fresh.run(SOLUTIONS, span=fresh.study.generate_partitions())
    assert not result.success
    assert message(result) == "study toy has no items yet: materialize items first"
    assert not result.get_asset_materialization_events()


def test_gradings_without_solutions_call_nobody_and_say_so(fresh: Runs) -> None:
    assert fresh.run(["items"]).success
    pairs = fresh.study.grade_partitions()[:2]
    result = fresh.run(GRADINGS, span=pairs)
    assert result.success
    incomplete = {("gradings", "complete", fresh.keys.of(pair)) for pair in pairs}
    assert failed(result) == incomplete | {("gradings", "complete", None)}
    assert fresh.store.read("gradings").num_rows == fresh.store.read("ledger").num_rows == 0
    assert not (Path(fresh.study.location) / "logs").exists()
    logs = fresh.instance.all_logs(result.run_id)
    warnings = [entry.user_message for entry in logs if entry.level == logging.WARNING]
    missing = {f"nothing to grade: {pair[0]} has no solutions yet" for pair in pairs}
    assert missing <= set(warnings)


def test_a_closed_gate_ends_the_step_before_the_first_call(tmp_path) -> None:
    study = toy_study(tmp_path, extra={"budget": {"max_usd": 1e-9}})
    with runs_of(study) as runs:
        assert runs.run(["items"]).success
        result = runs.run(SOLUTIONS, only=study.generate_partitions()[0])
        assert not result.success and "max_usd" in message(result)
        [event] = [e for e in result.all_node_events if e.is_step_failure]
        failure = event.step_failure_data.user_failure_data
        assert failure is not None
        assert failure.metadata["exit_code"].value == 4
        assert runs.store.read("solutions").num_rows == 0


@pytest.mark.long
def test_the_shell_materializes_one_partition_into_the_same_instance(copied: Runs) -> None:
    generate, pair = copied.study.generate_partitions()[0], copied.study.grade_partitions()[-1]
    with runs_of(copied.study, on_disk=True) as runs:
        shell(runs, (SOLUTIONS, generate), (GRADINGS, pair))
        for asset, partition in (("solutions", generate), ("gradings", pair)):
            assert runs.metadata(asset)[partition]["rows of this run"] == 3
            [run_id] = set(runs.store.read(asset, [partition])["run_id"].to_pylist())
            run = runs.instance.get_run_by_id(run_id)
            assert run is not None and run.tags["dagster/partition"] == runs.keys.of(partition)
            recorded = runs.instance.fetch_materializations(asset_key(runs.study, asset), limit=50)
            assert recorded.records[0].run_id == run_id
            assert recorded.records[0].partition_key == runs.keys.of(partition)


def shell(runs: Runs, *wanted: tuple[tuple[str, ...], Partition]) -> None:
    """`dagster asset materialize` of single partitions, by force, in a process of its own.

    One process for all, because starting one takes longer than the runs.
    """
    commands = [
        [
            *("asset", "materialize", "-m", "itemeval_assets.definitions"),
            *("--select", ",".join(f"{runs.study.name}/{asset}" for asset in assets)),
            *("--partition", runs.keys.of(partition)),
            *("--config-json", json.dumps(forced(runs, assets[0]))),
        ]
        for assets, partition in wanted
    ]
    program = (
        "import json, sys\n"
        "from dagster._cli import cli\n"
        "for command in json.loads(sys.argv[1]): cli(command, standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(commands)],
        env={
            **os.environ,
            "DAGSTER_HOME": runs.instance.root_directory,
            "ITEMEVAL_ASSETS_STUDIES": str(runs.study.config_path),
        },
        cwd=runs.study.config_dir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def forced(runs: Runs, asset: str) -> dict[str, Any]:
    return {"ops": {f"{runs.study.name}__{asset}": {"config": {"force": True}}}}


def test_a_step_that_reads_back_several_partitions_plans_each_from_its_own_rows(tmp_path) -> None:
    """Of one all items are logged, of the other two: the third is no less missing for that."""
    study = toy_study(tmp_path, prompts=["short"], scorer=None)
    with runs_of(study) as runs:
        tables = {"solutions": study.generate_partitions(), "gradings": study.grade_partitions()}
        assets = {"solutions": SOLUTIONS, "gradings": GRADINGS}
        assert runs.run(["items"]).success
        for table, (first, second) in tables.items():
            assert runs.run(assets[table], only=first).success
            assert runs.run(assets[table], only=second, config={"policy": "dev"}).success
            for partition in (first, second):
                Path(runs.store.uri(table, partition)).unlink()
            assert runs.run(assets[table], span=[first, second]).success
            counts = [runs.store.read(table, [part]).num_rows for part in (first, second)]
            assert counts == [3, 3], table
            calls = runs.store.read("log_index", [second], ["total_samples"])
            assert sum(calls["total_samples"].to_pylist()) == 3
