"""Limits: calls in flight, the time one may take, waits for a provider, and Dagster's pools."""

import os
import threading
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from itemeval_assets import api
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import Settings
from tests.commands import PATIENCE_S, Command
from tests.model_server import Behaviour, Request
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, rows

POOL = "openai-api/test"


# A limit of one provider by its full name is also what the next test is about.
OF_ONE = pytest.param({"openai-api/test": 3}, marks=pytest.mark.long)


@pytest.mark.parametrize(
    "limit",
    [3, OF_ONE, pytest.param({"openai-api": 3, "openai": 1}, marks=pytest.mark.long)],
    ids=str,
)
def test_a_provider_gets_no_more_calls_at_once_than_allowed(
    tmp_path: Path, serve: Serve, limit: int | dict[str, int]
) -> None:
    server = serve(Behaviour(latency_s=0.1))
    config = write_study(
        tmp_path,
        models=["openai-api/test/a", "openai-api/test/b"],
        graders=["openai-api/test/judge"],
        scorer=None,
        items=6,
        solvers={"max_connections": limit},
    )
    api.run(config)
    assert len(rows(config, "gradings_long")) == server.count("judge") == 12
    assert server.most_at_once() == server.most_at_once("judge") == 3
    assert server.most_at_once("a") + server.most_at_once("b") >= 3


def test_providers_have_limits_of_their_own(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Behaviour(latency_s=0.3))
    monkeypatch.setenv("OTHER_BASE_URL", server.base_url)
    monkeypatch.setenv("OTHER_API_KEY", "sk-of-the-test")
    config = write_study(
        tmp_path,
        models=["openai-api/test/a", "openai-api/other/b"],
        items=6,
        solvers={"max_connections": {"openai-api/test": 1, "openai-api/other": 2}},
    )
    api.run(config, only="solutions")
    assert (server.most_at_once("a"), server.most_at_once("b")) == (1, 2)
    assert server.most_at_once() == 3


def test_a_stalled_request_ends_as_an_errored_row(tmp_path: Path, serve: Serve) -> None:
    stuck = Behaviour(hang=1, hang_s=600)
    server = serve(models={"stuck": stuck, "judge-stuck": stuck})
    config = write_study(
        tmp_path,
        models=["openai-api/test/m", "openai-api/test/stuck"],
        graders=["openai-api/test/judge", "openai-api/test/judge-stuck"],
        scorer=None,
        items=2,
        solvers={"attempt_timeout": 1, "max_retries": 0},
    )
    summary = api.run(config)
    assert summary.errored == 4
    assert Counter(request.model for request in server.requests) == {
        "m": 2,
        "stuck": 2,
        "judge": 2,
        "judge-stuck": 2,
    }
    errors = {row["model"]: row["error"] for row in rows(config, "solutions")}
    assert errors["openai-api/test/m"] is None
    assert "attempt_timeout" in errors["openai-api/test/stuck"]
    verdicts = {row["grader_model"]: row["error"] for row in rows(config, "gradings")}
    assert verdicts["openai-api/test/judge"] is None
    assert "attempt_timeout" in verdicts["openai-api/test/judge-stuck"]
    assert_reconciled(config)


@pytest.mark.long
def test_progress_tells_of_waits_for_a_provider(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(transient=1, transient_attempts=1, transient_statuses=(429,)))
    config = write_study(tmp_path, models=["openai-api/test/m"], items=2)
    seen: list[tuple[int, int, str]] = []

    def watch(progress: Progress) -> None:
        seen.append((progress.done, progress.retries, progress.waiting))

    summary = api.run(config, only="solutions", on_progress=watch)
    assert (server.count(), summary.errored) == (2 * 2, 0)
    waited = [told for told in seen if told[1]]
    assert waited[0][:2] == (0, 1)
    assert "test/m: 429" in waited[0][2]
    assert seen[-1][:2] == (2, 2)


def test_steps_that_call_models_are_in_the_pool_of_their_providers(tmp_path: Path) -> None:
    config = write_study(
        tmp_path,
        models=["openai-api/test/a", "openai-api/test/b", "mockllm/c", "anthropic/d"],
        graders=["openai-api/test/judge", "mockllm/judge"],
    )
    definitions = build_definitions(Settings(), [load_study(config)])
    nodes = definitions.resolve_implicit_global_asset_job_def().nodes
    pools = {node.name: node.definition.pools for node in nodes if node.definition.pools}
    assert pools == {
        "toy__solutions": {"anthropic+openai-api/test"},
        "toy__gradings": {"openai-api/test"},
    }


@pytest.mark.long
def test_a_pool_lets_one_study_call_at_a_time(tmp_path: Path, serve: Serve) -> None:
    answers_may_come = threading.Event()

    def hold_back(_: Request) -> None:
        answers_may_come.wait(PATIENCE_S)

    server = serve(Behaviour(latency_s=0.1), reply=hold_back)
    configs = {name: _declare_study(tmp_path / name, name) for name in ("one", "two")}
    processes: list[Command] = []
    with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"]) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots(POOL, 1)

        def waiting() -> list[str]:
            pending = storage.get_concurrency_info(POOL).pending_steps
            return [step.step_key for step in pending if step.assigned_timestamp is None]

        try:
            processes.append(_start(configs["one"]))
            processes[0].wait_until(lambda: server.count() == 2)
            processes.append(_start(configs["two"]))
            processes[1].wait_until(lambda: waiting() == ["two__solutions"])
            assert server.count("two") == 0
            answers_may_come.set()
            codes = [process.wait() for process in processes]
            assert codes == [0, 0], [_output(config).read_text() for config in configs.values()]
        finally:
            answers_may_come.set()
            for process in processes:
                process.kill()
                process.wait()
    assert (server.count("one"), server.count("two")) == (4, 4)
    assert server.most_at_once() == 2


def _declare_study(folder: Path, name: str) -> Path:
    return write_study(
        folder,
        study=name,
        models=[f"openai-api/test/{name}"],
        solvers={"max_connections": 2},
    )


def _start(config: Path) -> Command:
    """Start a run of the solutions of a study in a process of its own."""
    return Command("run", config, "--only", "solutions", output=_output(config))


def _output(config: Path) -> Path:
    return config.parent / "output.txt"
