"""The schedule of automatic re-runs: exactly what failed, a few times, and never without end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import api, stages
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study.attempts import read_attempts
from itemeval_assets.storage.study.layout import RERUNS
from itemeval_assets.storage.study.store import open_store
from tests.defs.runs import QUIET
from tests.model_server import Answer, Request, error_answer
from tests.studies import write_study
from tests.ticks import ticked

from .conftest import Serve
from .looking import assert_reconciled, rows, write_prices

BROKEN = ("p2", "p3", "p5")  # the prompts whose answers judge-b fails on
JUDGES = ("openai-api/test/judge-a", "openai-api/test/judge-b")


def declare(folder: Path, **changes: Any) -> Path:
    """5 generate conditions x (a scorer and two judges) = 15 gradings partitions, 2 items."""
    given = {
        "models": ["openai-api/test/m"],
        "prompts": [f"p{number}" for number in range(1, 6)],
        "graders": JUDGES,
        "items": 2,
        "solvers": {"max_retries": 0, "max_tokens": 100},
        "extra": {
            "cache": False,
            "automation": {"retry_after_minutes": 10},
            "budget": {"pricing_path": write_prices(folder, "m", "judge-a", "judge-b")},
        },
    }
    return write_study(folder, **{**given, **changes})


def fails_sometimes(request: Request) -> Answer | str | None:
    """The solver repeats its prompt, so that a judge can be made to fail on one of them."""
    if request.model == "m":
        return f"[{request.prompt.split('.')[0]}] ANSWER: 2"
    broken = any(f"[Prompt {name}]" in request.prompt for name in BROKEN)
    if request.model == "judge-b" and broken and "1 + 1" in request.prompt:
        return error_answer(400, "no")
    return None


@contextmanager
def ticking(study: Study) -> Iterator[Any]:
    """A function that makes the schedule tick, and one that makes the runs it asked for."""
    with opened(study) as (instance, definitions):
        schedule = definitions.resolve_schedule_def("toy_reruns")
        job = definitions.resolve_implicit_global_asset_job_def()

        def tick() -> dg.SkipReason | list[dg.RunRequest]:
            context = dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=datetime.now(UTC),
                repository_def=definitions.get_repository_def(),
            )
            found = ticked(schedule, context)
            return list(found.run_requests or []) or dg.SkipReason(found.skip_message)

        def execute(requests: list[dg.RunRequest]) -> None:
            for request in requests:
                result = job.execute_in_process(
                    instance=instance,
                    asset_selection=request.asset_selection,
                    tags=dict(request.tags),
                    run_config=QUIET,
                    raise_on_error=False,
                )
                assert result.success

        yield tick, execute


def asked_for(requests: list[dg.RunRequest]) -> set[str]:
    """The partitions of single-partition requests."""
    tags = [request.tags for request in requests]
    start, end = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
    return {tag[start] for tag in tags if tag[start] == tag[end]}


def test_three_of_15_partitions_have_errored_rows_and_just_those_are_asked_for(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(reply=fails_sometimes)
    config = declare(tmp_path)
    study = load_study(config)
    assert len(study.grade_partitions()) == 15
    api.run(config)
    wanted = {
        f"{row['gen_condition_id']}|{row['grade_condition_id']}"
        for row in rows(config, "gradings")
        if row["error"]
    }
    assert len(wanted) == 3
    with ticking(study) as (tick, execute):
        requests = tick()
        # p2 and p3 are neighbours: one run takes both.
        assert len(requests) == 2
        server.reply = None
        server.reset_counts()
        execute(requests)
        assert [(request.model, "1 + 1" in request.prompt) for request in server.requests] == [
            ("judge-b", True)
        ] * 3
        assert not any(row["error"] for row in rows(config, "gradings"))
        assert_reconciled(config)
        skipped = tick()
        assert isinstance(skipped, dg.SkipReason)
        assert "every partition is complete" in (skipped.skip_message or "")
    assert read_attempts(open_store(study)) == {}


def test_a_partition_that_fails_three_times_is_given_up_until_it_is_reset(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(reply=lambda request: error_answer(400, "no") if request.model == "m" else None)
    config = declare(tmp_path, prompts=["p1"], extra={"cache": False})
    study = load_study(config)
    store = open_store(study)
    api.run(config)
    [partition] = study.generate_partitions()
    key = PartitionKeys(study).of(partition)
    with ticking(study) as (tick, execute):
        for made in (1, 2, 3):
            requests = tick()
            assert asked_for(tick()) == asked_for(requests) == {key}  # a look counts not
            execute(requests)
            assert read_attempts(store)[partition].made == made
            waiting = tick()
            assert isinstance(waiting, dg.SkipReason)
            _let_time_pass(study)
        given_up = tick()
        assert isinstance(given_up, dg.SkipReason)
        assert "2 errored; given up after 3 attempts" in (given_up.skip_message or "")
        label = study.design.label_of(partition)
        assert run_cli(["status", str(config)]) == 0
        assert f"given up by the schedule: {label}; " in capsys.readouterr().out
        assert run_cli(["reset", str(config), "--only", "gradings"]) == 0
        assert "Nothing to reset" in capsys.readouterr().out
        assert run_cli(["reset", str(config)]) == 0
        assert f"the schedule will run it again: {label}\n" in capsys.readouterr().out
        assert asked_for(tick()) == {key}


def test_beyond_the_budget_nothing_is_asked_for_and_no_attempt_is_counted(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(reply=lambda request: error_answer(400, "no"))
    config = declare(tmp_path, prompts=["p1"], graders=[])
    api.run(config)
    budget = {"pricing_path": "prices.json", "max_usd": 1e-6}
    config = declare(tmp_path, prompts=["p1"], graders=[], extra={"cache": False, "budget": budget})
    server.reset_counts()
    study = load_study(config)
    with ticking(study) as (tick, _):
        skipped = tick()
    assert isinstance(skipped, dg.SkipReason)
    assert "over budget.max_usd" in (skipped.skip_message or "")
    assert read_attempts(open_store(study)) == {} and server.count() == 0


@pytest.mark.long
def test_a_study_that_never_ran_is_run_by_its_schedule(tmp_path: Path) -> None:
    config = write_study(tmp_path, models=["mockllm/a"], items=2, extra={"cache": False})
    study = load_study(config)
    with ticking(study) as (tick, execute):
        first = tick()
        assert [[key.path[-1] for key in request.asset_selection] for request in first] == [
            ["items", "solutions", "generation_ledger"]
        ]
        execute(first)
        second = tick()
        assert [[key.path[-1] for key in request.asset_selection] for request in second] == [
            ["gradings", "grading_ledger", "gradings_long"]
        ]
        execute(second)
        done = tick()
        assert isinstance(done, dg.SkipReason) and "every partition is complete" in (
            done.skip_message or ""
        )
    assert len(rows(config, "gradings_long")) == 4
    assert_reconciled(config)


def test_what_a_run_is_calling_is_not_asked_for(tmp_path: Path, serve: Serve) -> None:
    serve(reply=lambda request: error_answer(400, "no"))
    config = declare(tmp_path, prompts=["p1"], graders=[])
    api.run(config)
    study = load_study(config)
    store = open_store(study)
    with ticking(study) as (tick, _):
        with store.claimed(study.generate_partitions(), "another", lambda *_: None):
            skipped = tick()
        assert isinstance(skipped, dg.SkipReason)
        assert "a run is making its calls" in (skipped.skip_message or "")
        assert len(tick()) == 1


@pytest.mark.parametrize("broken", ["items.load", "solutions.generate"])
def test_a_run_that_fails_before_or_within_its_step_is_an_attempt(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = declare(tmp_path, models=["mockllm/m"], prompts=["p1"], graders=[])
    study = load_study(config)
    store = open_store(study)
    [partition] = study.generate_partitions()

    def fails(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is gone")

    with ticking(study) as (tick, _), opened(study) as (instance, definitions):
        [request] = tick()
        job = definitions.resolve_implicit_global_asset_job_def()
        with monkeypatch.context() as patch:
            module, name = broken.split(".")
            patch.setattr(getattr(stages, module), name, fails)
            result = job.execute_in_process(
                instance=instance,
                asset_selection=request.asset_selection,
                tags=dict(request.tags),
                run_config=QUIET,
                raise_on_error=False,
            )
            assert not result.success
        for _ in range(2):  # looking twice counts once
            waiting = tick()
            assert isinstance(waiting, dg.SkipReason)
            assert "next attempt after" in (waiting.skip_message or "")
            assert read_attempts(store)[partition].made == 1
        assert run_cli(["reset", str(config)]) == 0
        assert len(tick()) == 1
        assert read_attempts(store) == {}


@contextmanager
def opened(study: Study) -> Iterator[tuple[dg.DagsterInstance, dg.Definitions]]:
    with dg.DagsterInstance.from_config(str(ensure_home(study.config_dir))) as instance:
        yield instance, build_definitions(Settings(), [study])


def _let_time_pass(study: Study) -> None:
    """As if every attempt had been made hours ago."""
    store = open_store(study)

    def back(document: dict[str, Any]) -> dict[str, Any]:
        hours = timedelta(hours=9)
        return {
            part: {**tried, "last": (datetime.fromisoformat(tried["last"]) - hours).isoformat()}
            for part, tried in document.items()
        }

    store.update_json(RERUNS, back)
