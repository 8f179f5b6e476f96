"""Several workers for one run: the same rows, one progress, one summary, and no call twice."""

import json
import pickle
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import BudgetExceeded, ConfigError, ConsentMissing, RunFailed
from itemeval_assets.core.records.failures import FailedCheck
from itemeval_assets.runs.launching.workers import Ended
from tests.commands import Command, processes_in, wait_until
from tests.model_server import Behaviour
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, cells, rows, write_prices

MODELS = ["openai-api/test/m", "openai-api/test/n"]


def declare(folder: Path, **options: Any) -> Path:
    given = {"models": MODELS, "graders": ["openai-api/test/judge"], "items": 6, **options}
    extra = {"cache": False, **given.pop("extra", {})}
    return write_study(folder, **given, extra=extra)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.interpreters
def test_workers_share_a_run(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.1))
    config = declare(tmp_path)
    seen: list[tuple[str, int, int]] = []
    summary = api.run(
        config,
        workers=2,
        on_progress=lambda found: seen.append((found.stage, found.done, found.total)),
    )
    assert server.count() == summary.calls == 24
    assert (summary.errored, summary.failed_checks) == (0, [])
    assert len(cells(rows(config, "solutions"))) == 6 and len(rows(config, "solutions")) == 12
    assert len(rows(config, "gradings_long")) == 24 == summary.export.rows
    assert {stage for stage, *_ in seen} == {"generate", "grade"}
    assert ("generate", 12, 12) in seen and ("grade", 12, 12) in seen
    assert len({row["run_id"] for row in rows(config, "solutions")}) == 2
    assert_reconciled(config)
    again = api.run(config, workers=2)
    assert again.calls == 0 and server.count() == 24
    assert processes_in(tmp_path) == []


@pytest.mark.long
def test_a_limit_of_connections_holds_for_all_workers_together(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=8, graders=[], solvers={"max_connections": 2})
    api.run(config, workers=2)
    assert server.count() == 16
    assert server.most_at_once() <= 2


def test_a_refusal_of_the_gate_is_one_error(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    budget = {"pricing_path": write_prices(tmp_path, "m", "n", "judge"), "confirm_above_usd": 0.01}
    config = declare(tmp_path, extra={"budget": budget})
    with pytest.raises(ConsentMissing, match="needs your consent"):
        api.run(config, workers=2)
    assert server.count() == 0 and processes_in(tmp_path) == []


@pytest.mark.long
def test_a_worker_that_dies_ends_the_run_and_the_next_goes_on(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=40, graders=[], solvers={"max_connections": 4})

    def kill_one() -> None:
        wait_until(lambda: server.count() >= 20)
        processes_in(tmp_path)[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(RunFailed, match="ended with exit code -9"):
        api.run(config, workers=2)
    killer.join()
    assert processes_in(tmp_path) == []
    made = server.count()
    summary = api.run(config, workers=2)
    stored = rows(config, "solutions")
    assert len(stored) == 80 and not any(row["error"] for row in stored)
    assert summary.recovered > 0 and server.count() <= 80 + 4
    assert made < 80
    assert_reconciled(config)


@pytest.mark.long
def test_ctrl_c_while_workers_call_is_told_once(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=40, graders=[], solvers={"max_connections": 4})
    printed, said = tmp_path / "printed.txt", tmp_path / "said.txt"
    command = Command("run", config, "--workers", "2", "--json", output=printed, errors=said)
    command.wait_until(lambda: server.count() >= 12)
    workers = processes_in(tmp_path, but=command.pid)
    assert len(workers) == 2
    command.send_signal(signal.SIGINT)
    assert command.wait() == 1
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    document = json.loads(printed.read_text())
    assert (document["error"], document["exit_code"]) == ("Stopped", 1)
    assert (
        said.read_text().count(
            "stopped; finished calls are kept, the next run continues from there"
        )
        == 1
    )
    summary = api.run(config)
    assert summary.recovered > 0 and len(rows(config, "solutions")) == 80
    assert_reconciled(config)


def test_workers_call_nobody_once_their_command_is_killed(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=100, graders=[], solvers={"max_connections": 4})
    command = Command("run", config, "--workers", "2")
    command.wait_until(lambda: server.count() >= 20)
    workers = processes_in(tmp_path, but=command.pid)
    assert len(workers) == 2
    command.kill()
    command.wait()
    made = server.count()
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    # Those in flight, and those that began while the workers were told.
    assert server.count() <= made + 8 < 200
    api.recover(config)
    stored = rows(config, "solutions")
    assert sum(row["error"] is None for row in stored) >= made - 4  # those that were in flight
    assert_reconciled(config)


@pytest.mark.long
def test_workers_with_several_runs_stay_within_the_consent(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    budget = {"pricing_path": write_prices(tmp_path, "m", "n", "judge", "judge2")}
    judges = ["openai-api/test/judge", "openai-api/test/judge2"]
    config = declare(tmp_path, graders=judges, extra={"budget": budget})
    foreseen = api.estimate(config)
    summary = api.run(config, workers=2, max_usd=foreseen.remaining.usd)
    assert (summary.errored, summary.held_back) == (0, 0)
    assert 0 < summary.usd <= foreseen.remaining.usd
    assert server.count() == summary.calls == 36
    assert_reconciled(config)


def test_no_worker_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1 process"):
        api.run(declare(tmp_path), workers=0)


def test_what_a_worker_tells_of_its_end_is_what_it_says() -> None:
    failed = [FailedCheck("gradings", "complete", ("a--0", "b--1"), "a · short | b")]
    error = BudgetExceeded("no", {"usd": 1.5})
    told = pickle.loads(pickle.dumps(Ended(["run"], 1, 2, failed, error)))
    assert replace(told, error=None) == Ended(["run"], 1, 2, failed)
    assert isinstance(told.error, BudgetExceeded)
    assert (str(told.error), told.error.facts, told.error.exit_code) == ("no", {"usd": 1.5}, 4)
