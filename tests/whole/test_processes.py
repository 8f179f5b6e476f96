"""Several processes on one study, and processes that die."""

import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import dagster as dg
import inspect_ai
import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command
from tests.model_server import Answer, Behaviour, Request
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, cells, logged_samples, results_dir, rows

Start = Callable[[Path], Command]


def declare(folder: Path, items: int) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=items,
        extra={"cache": False},
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a run of a study in a process of its own, which ends with the test at the latest."""
    started: list[Command] = []

    def begin(config: Path) -> Command:
        output = tmp_path / f"output_{len(started)}.txt"
        started.append(Command("run", config, output=output))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_two_processes_share_the_work(tmp_path: Path, serve: Serve, start: Start) -> None:
    server = serve(Behaviour(latency_s=1.0))
    config = declare(tmp_path, items=12)
    processes = [start(config), start(config)]
    codes = [process.wait() for process in processes]
    assert codes == [0, 0], [process.output.read_text() for process in processes]
    assert server.count("m") == server.count("judge") == 12
    assert len(rows(config, "solutions")) == len(cells(rows(config, "solutions"))) == 12
    assert len(rows(config, "gradings_long")) == 24
    assert_reconciled(config)


@pytest.mark.parametrize(
    ("stage", "end", "exit_code", "says"),
    [
        pytest.param("generate", signal.SIGKILL, -signal.SIGKILL, "", marks=pytest.mark.long),
        ("grade", signal.SIGINT, 1, "stopped; finished calls are kept"),
    ],
)
def test_a_stopped_run_is_continued(
    tmp_path: Path,
    serve: Serve,
    start: Start,
    stage: str,
    end: signal.Signals,
    exit_code: int,
    says: str,
) -> None:
    victim = "m" if stage == "generate" else "judge"

    def reply(request: Request) -> Answer | None:
        """Ten of the victim's answers come at once, the others never."""
        late = any(f"What is {number} +" in request.prompt for number in range(11, 14))
        return Answer(200, b"", delay_s=600) if late and request.model == victim else None

    server = serve(reply=reply)
    config = declare(tmp_path, items=13)
    running = results_dir(config) / "logs" / "running"
    process = start(config)
    process.wait_until(lambda: _finished_samples(running) == 10)
    process.send_signal(end)
    assert process.wait() == exit_code
    assert says in process.output.read_text()

    server.reset_counts()
    server.reply = None
    summary = api.run(config)
    assert summary.recovered == 10
    assert server.count(victim) == 3
    assert server.count("judge") == (13 if stage == "generate" else 3)
    assert len(rows(config, "solutions")) == 13
    assert len(rows(config, "gradings_long")) == 26
    assert all(row["error"] is None for row in rows(config, "gradings"))
    assert_reconciled(config)
    logged = logged_samples(config, stage)
    assert sum(sample.error is None for _, sample in logged) == 13
    assert not list(running.glob("*.eval"))
    for table in ("items", "solutions", "gradings", "gradings_long", "ledger", "log_index"):
        assert len(pd.read_parquet(results_dir(config) / f"{table}.parquet"))


def test_a_killed_run_ends_in_dagster_too_and_frees_its_pool(
    tmp_path: Path, serve: Serve, start: Start
) -> None:
    server = serve(Behaviour(hang=1.0, hang_s=600))
    config = declare(tmp_path, items=1)
    home = ensure_home(tmp_path)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.event_log_storage.set_concurrency_slots("openai-api/test", 1)
    process = start(config)
    process.wait_until(lambda: server.count() == 1)
    process.kill()
    process.wait()
    server.behaviour = Behaviour()
    api.run(config)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        ended = {run.status for run in instance.get_runs()}
        failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    assert ended == {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
    assert len(failed) == 1
    assert json.loads((results_dir(config) / "reservations.json").read_text()) == {}


def test_an_interruption_that_inspect_took_for_itself_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_study(tmp_path, graders=[], items=3)
    with monkeypatch.context() as patch:
        patch.setattr(inspect_ai, "eval", _stopped(inspect_ai.eval))
        assert run_cli(["run", str(config)]) == 1
    assert "stopped; finished calls are kept" in capsys.readouterr().err
    assert api.run(config).recovered == 3


def test_checks_that_hold_in_the_end_are_not_told_as_failed(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(reply=lambda asked: Answer(400, b"{}") if "11 +" in asked.prompt else None)
    config = declare(tmp_path, items=13)
    with monkeypatch.context() as patch:
        patch.setattr(inspect_ai, "eval", _stopped(inspect_ai.eval))
        assert run_cli(["run", str(config)]) == 1
    server.reply = None
    summary = api.run(config)
    assert (summary.recovered, summary.errored, summary.failed_checks) == (12, 0, [])


def _stopped(whole: Callable[..., Any]) -> Callable[..., Any]:
    """An eval that says of its logs, which are whole, that it was stopped."""

    def stopped(*args: Any, **options: Any) -> Any:
        logs = whole(*args, **options)
        for log in logs:
            log.status = "cancelled"
        return logs

    return stopped


def test_a_log_that_another_run_takes_away_is_no_trouble(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    config = declare(tmp_path, items=1)
    gone = "logs/running/gone.eval"
    monkeypatch.setattr(log_files, "running_logs", lambda _: [gone])
    api.run(config, only="solutions")
    assert server.count() == len(rows(config, "solutions")) == 1


def _finished_samples(folder: Path) -> int:
    """How many samples the logs of a folder hold."""
    return sum(
        name.startswith("samples/")
        for path in folder.glob("*.eval")
        for name in ZipFile(path).namelist()
    )


def test_a_run_tells_which_other_run_it_waits_for(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=1, graders=()))
    partitions = study.generate_partitions()
    told: list[str] = []
    with ExitStack() as other_run:
        other_run.enter_context(open_store(study).claimed(partitions, "the other", lambda *_: None))

        def watch(progress: Progress) -> None:
            if progress.waits_for or told:
                told.append(progress.waits_for)
            other_run.close()

        assert api.run(study, only="solutions", on_progress=watch).calls == 1
    where = f"run the other, process {os.getpid()} on {socket.gethostname()} has locked"
    assert told[:2] == [f"{partitions[0][0]}, which {where}", ""]


def test_a_run_leaves_the_logs_of_its_process_as_they_were(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    assert api.run(write_study(tmp_path, items=1)).calls
    assert (root.level, root.handlers) == before
