"""Histories of older versions, where partitions bear ids and not keys: nothing is paid again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import api, stages
from itemeval_assets.core.errors import StoreError
from itemeval_assets.dagster_io.naming import keys
from itemeval_assets.dagster_io.naming.names import FIGURES, asset_key
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study.attempts import read_attempts
from itemeval_assets.storage.study.layout import SETTLED
from itemeval_assets.storage.study.store import open_store
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs
from tests.model_server import error_answer
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices
from .test_schedule import asked_for, ticking

ALONE = ("items", "ledger", "costs", "results", *FIGURES, "export")
MOST_ROUNDS = 6


def declare(folder: Path, **automation: Any) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/a", "openai-api/test/b"],
        prompts=["short", "long"],
        graders=["openai-api/test/judge"],
        items=2,
        solvers={"max_retries": 0, "max_tokens": 100},
        extra={
            "cache": False,
            "automation": {"retry_after_minutes": 0, **automation},
            "budget": {"pricing_path": write_prices(folder, "a", "b", "judge")},
        },
    )


@contextmanager
def ids_as_keys() -> Iterator[None]:
    """As older versions named partitions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_keys", lambda conditions: {one.id: one.id for one in conditions})
        yield


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What users are told of a new grid, since this was last asked."""
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: part")]


@pytest.mark.long
def test_the_grid_starts_anew_and_one_line_says_so_once(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path)
    with ids_as_keys(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("itemeval_assets.instances.instance.tell_of_new_keys", lambda _: None)
        first = api.run(config)
    # It names the version that wrote it: to this one it would say nothing.
    (results_dir(config) / SETTLED).unlink()
    server.reset_counts()
    api.export(config)
    [line] = told(capsys)
    assert line == (
        "note: partitions have shorter keys now, so Dagster's grid of toy starts anew. Results, "
        "money and logs stay; the next run fills the grid and repeats no call."
    )
    again = api.run(config)
    assert first.calls and not again.calls and not server.requests and again.exit_code == 0
    assert told(capsys) == []
    assert_reconciled(config)
    study = load_study(config)
    with dg.DagsterInstance.from_config(str(ensure_home(tmp_path))) as instance:
        for table, partitions in (
            ("solutions", study.generate_partitions()),
            ("gradings", study.grade_partitions()),
        ):
            found = instance.get_materialized_partitions(asset_key(study, table))
            assert set(map(keys.PartitionKeys(study).of, partitions)) <= found


def test_of_a_new_history_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_study(tmp_path)
    api.run(config)
    api.export(config)
    assert told(capsys) == []


@pytest.mark.long
@pytest.mark.parametrize("paid", [pytest.param(False, marks=pytest.mark.long), True])
def test_automation_fills_the_grid_calls_nobody_and_comes_to_rest(
    tmp_path: Path, serve: Serve, paid: bool
) -> None:
    server = serve()
    config = declare(tmp_path, paid=paid)
    study = load_study(config)
    with ids_as_keys():
        api.run(config)
    with dg.DagsterInstance.from_config(str(ensure_home(tmp_path))) as instance:
        with ids_as_keys():
            before = build_definitions(Settings(), [study])
            found = dg.evaluate_automation_conditions(before, instance)
        definitions = build_definitions(Settings(), [study])
        runs = Runs(study, instance, definitions.resolve_implicit_global_asset_job_def())
        server.reset_counts()
        for _ in range(MOST_ROUNDS):
            found = dg.evaluate_automation_conditions(definitions, instance, cursor=found.cursor)
            if not found.total_requested:
                break
            follow(runs, found)
        assert not found.total_requested, "the sensor finds no end"
    assert not server.requests
    assert_reconciled(config)


def follow(runs: Runs, found: Any) -> None:
    """Run what the sensor asks for, each stage over all of its partitions."""

    def is_asked(assets: tuple[str, ...]) -> list[str]:
        return [a for a in assets if found.get_num_requested(asset_key(runs.study, a))]

    for assets, span in (
        (SOLUTIONS, runs.study.generate_partitions()),
        (GRADINGS, runs.study.grade_partitions()),
    ):
        if is_asked(assets):
            assert runs.run(assets, span=span).success
    if alone := is_asked(ALONE):
        assert runs.run(alone).success


@pytest.mark.long
def test_the_schedule_asks_for_what_failed_and_counts_attempts_of_before(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(reply=lambda r: error_answer(400, "no") if r.model == "b" else None)
    config = declare(tmp_path)
    study = load_study(config)
    api.run(config)
    pending = study.generate_partitions()[2:]

    def fails(*_: Any) -> None:
        raise StoreError("the disk is gone")

    with ids_as_keys(), ticking(study) as (tick, execute), monkeypatch.context() as patch:
        patch.setattr(stages.solutions, "generate", fails)
        with pytest.raises(AssertionError):
            execute(tick())
    server.reply = None
    with ticking(study) as (tick, execute):
        requests = tick()
        of = keys.PartitionKeys(study).of
        [tags] = [r.tags for r in requests if asset_key(study, "solutions") in r.asset_selection]
        assert [tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")] == [
            of(pending[0]),
            of(pending[-1]),
        ]
        assert asked_for(requests) == set()
        attempts = read_attempts(open_store(study))
        assert {part: attempts[part].made for part in pending} == dict.fromkeys(pending, 1)
        server.reset_counts()
        for _ in range(MOST_ROUNDS):
            if isinstance(requests, dg.SkipReason):
                break
            execute(requests)
            requests = tick()
        assert isinstance(requests, dg.SkipReason), "the schedule finds no end"
    assert not any(row["error"] for row in rows(config, "solutions"))
    # The failed answers, and the verdicts on them: none of those that were sound.
    assert sorted({request.model for request in server.requests}) == ["b", "judge"]
    assert len(server.requests) == 2 * 2 + 2 * 2
    assert_reconciled(config)
