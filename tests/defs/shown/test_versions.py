"""What the UI shows as stale: exactly what lies below rows, or money, that have changed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.naming.names import FIGURES, asset_key
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.shown.versions import version_after
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import Settings
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs, message, planted, runs_of, toy_study
from tests.faults.study_runs import IS_LONG

SHOWN = ("results", *FIGURES, "export")
ENDS = ("ledger", "costs", *SHOWN)
PRICE = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
Place = tuple[str, Partition | None]


@pytest.fixture(scope="module")
def study_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """A finished study of mock models that have a price."""
    folder = tmp_path_factory.mktemp("versions")
    declare(folder)
    with runs_of(load_study(folder / "study.yaml")) as found:
        ran(found, ["items"])
        ran(found, SOLUTIONS, found.study.generate_partitions())
        ran(found, GRADINGS, found.study.grade_partitions())
        ran(found, ENDS)
        yield found


@pytest.fixture
def runs(study_runs: Runs) -> Runs:
    """The study with nothing stale: each test leaves it so."""
    assert stale(study_runs) == set()
    return study_runs


def declare(folder: Path, factor: float = 1.0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    price = {name: usd * factor for name, usd in PRICE.items()}
    prices = {"models": {f"mockllm/{name}": price for name in ("a", "b", "judge")}}
    (folder / "prices.json").write_text(json.dumps(prices))
    toy_study(folder, extra={"budget": {"pricing_path": "prices.json"}})


def ran(
    runs: Runs,
    assets: Sequence[str],
    span: list[Partition] | None = None,
    config: dict[str, Any] | None = None,
) -> None:
    result = runs.run(assets, span=span, config=config)
    assert result.success, message(result)


def stale(runs: Runs) -> set[Place]:
    """Every asset, or partition of one, that is stale."""
    graph = runs.job.asset_layer.asset_graph
    resolver = CachingStaleStatusResolver(
        runs.instance, graph, LoadingContextForTest(runs.instance)
    )
    places: list[Place] = [(name, None) for name in ENDS]
    places += [(name, part) for name in SOLUTIONS for part in runs.study.generate_partitions()]
    places += [(name, part) for name in GRADINGS for part in runs.study.grade_partitions()]
    return {
        (name, part)
        for name, part in places
        if resolver.get_status(
            asset_key(runs.study, name), runs.keys.of(part) if part else None
        ).value
        == "STALE"
    }


def test_a_run_that_changes_nothing_makes_nothing_stale(runs: Runs) -> None:
    first, *_, last = runs.study.generate_partitions()
    spans = ([first, last], [first], runs.study.generate_partitions()[1:3])
    for span in spans if IS_LONG else spans[:1]:
        ran(runs, SOLUTIONS, span)
        assert stale(runs) == set()
    pairs = runs.study.grade_partitions()
    for span in (pairs, pairs[:1]) if IS_LONG else (pairs,):
        ran(runs, GRADINGS, span)
        assert stale(runs) == set()
    ran(runs, ["items"])
    ran(runs, ENDS)
    assert stale(runs) == set()


@pytest.mark.long
def test_new_rows_of_one_partition_of_a_range_make_its_own_children_stale(runs: Runs) -> None:
    _, changed, *_ = runs.study.generate_partitions()
    planted(runs, "solutions", changed, runs.store.read("solutions", [changed]).to_pylist()[1:])
    ran(runs, SOLUTIONS, runs.study.generate_partitions())
    below = {pair for pair in runs.study.grade_partitions() if pair[:1] == changed}
    found = stale(runs)
    expected = {(name, pair) for name in ("gradings", "grading_ledger") for pair in below}
    # gradings_long is made of solutions too, and the money is spent.
    expected |= {("gradings_long", pair) for pair in below} | {("ledger", None)}
    assert found == expected
    ran(runs, GRADINGS, runs.study.grade_partitions())
    shown: set[Place] = {(name, None) for name in SHOWN}
    assert stale(runs) == {("ledger", None)} | shown
    ran(runs, ["ledger"])
    assert stale(runs) == {("costs", None)} | shown
    ran(runs, ["costs", *SHOWN])
    assert stale(runs) == set()


def test_money_that_brought_no_answer_makes_the_ledger_stale_and_no_grading(runs: Runs) -> None:
    """A solution that failed, and fails again: nothing for a grading, a dollar for the ledger."""
    store, partition = runs.store, runs.study.generate_partitions()[0]
    rows = store.read("solutions", [partition]).to_pylist()
    nothing = store.read("solutions", [partition]).slice(0, 0)
    failed = {**rows[0], "solution": None, "error": "no", "run_id": "first", "sample_uuid": "u1"}
    planted(runs, "solutions", partition, [failed, *rows[1:]])
    before = version_after(store, "solutions", partition, nothing)
    again = pa.Table.from_pylist(
        [{**failed, "run_id": "second", "sample_uuid": "u2"}], schema=nothing.schema
    )
    assert version_after(store, "solutions", partition, again) == before
    assert version_after(store, "solutions", partition, again.slice(0, 0)) == before
    planted(runs, "solutions", partition, rows)
    booked = store.read("bookings", [partition])
    more = pa.Table.from_pylist(
        [{**booked.to_pylist()[0], "run_id": "second"}], schema=booked.schema
    )
    versions = [
        version_after(store, "generation_ledger", partition, new)
        for new in (booked.slice(0, 0), booked, more)
    ]
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.long
def test_another_price_changes_nothing_that_was_paid(runs: Runs) -> None:
    declare(runs.study.config_dir, factor=10.0)
    study = load_study(runs.study.config_path)
    job = build_definitions(Settings(), [study]).resolve_implicit_global_asset_job_def()
    runs = replace(runs, study=study, job=job)
    ran(runs, SOLUTIONS, runs.study.generate_partitions())
    ran(runs, GRADINGS, runs.study.grade_partitions())
    ran(runs, ENDS)
    assert stale(runs) == set()


def test_a_partition_of_a_grid_is_recorded_as_one(runs: Runs) -> None:
    """What is recorded once more, for its version, keeps its metadata and its dimensions."""
    [changed, *_] = runs.study.grade_partitions()
    planted(runs, "gradings", changed, runs.store.read("gradings", [changed]).to_pylist()[1:])
    ran(runs, GRADINGS, runs.study.grade_partitions())
    wanted = dg.AssetRecordsFilter(
        asset_key=asset_key(runs.study, "gradings"), asset_partitions=[runs.keys.of(changed)]
    )
    again, before, *_ = runs.instance.fetch_materializations(wanted, limit=2).records
    assert again.run_id == before.run_id
    found, first = again.asset_materialization, before.asset_materialization
    assert found and first and isinstance(found.partition, dg.MultiPartitionKey)
    assert found.partition == first.partition and found.metadata == first.metadata
    different = {k for k, v in (found.tags or {}).items() if v != (first.tags or {})[k]}
    assert different == {"dagster/data_version"}
    ran(runs, ENDS)
