"""The command `ui`, or the process that serves it, dies while a run of the UI calls models; or
somebody terminates that run there."""

import os
import signal
import time
from pathlib import Path

import dagster as dg
import psutil
import pytest

from itemeval_assets import api
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.runs.launching.launcher import Launcher
from tests.browser.demo import served_ui
from tests.browser.test_guard import ask
from tests.model_server import Behaviour
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled
from tests.whole.test_schedule import ticking

from .conftest import Report
from .study_runs import TIMES, declare, loss_of

ITEMS, CONNECTIONS, ANSWERS = 30, 3, 9
LAUNCH = """mutation { launchRun(executionParams: {
  selector: {
    repositoryLocationName: "itemeval_assets.definitions", repositoryName: "__repository__",
    jobName: "__ASSET_JOB",
    assetSelection: [{path: ["toy", "solutions"]}, {path: ["toy", "generation_ledger"]}]
  },
  executionMetadata: {tags: [{key: "dagster/partition", value: "%s"}]}
}) { __typename ... on LaunchRunSuccess { run { runId } } } }"""
TERMINATE = 'mutation { terminateRun(runId: "%s") { __typename } }'
STATUS = 'query { runOrError(runId: "%s") { ... on Run { status } } }'
ENDED = {"CANCELED", "FAILURE", "SUCCESS"}
# Who gets which signal: the command itself is 0, the process that serves is 1.
DEATHS = [(0, signal.SIGKILL), (1, signal.SIGKILL), (0, signal.SIGINT), (0, signal.SIGHUP)]


@pytest.mark.parametrize(("who", "how"), DEATHS[: max(1, TIMES // 2)])
@pytest.mark.long
def test_the_end_of_the_ui_ends_its_runs_and_loses_no_answer(
    tmp_path: Path, serve: Serve, report_fault: Report, who: int, how: signal.Signals
) -> None:
    """Promised: no process stays; the next run calls nothing again that was answered."""
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=ITEMS, solvers={"max_connections": CONNECTIONS})
    study = load_study(config)
    [first, *_] = PartitionKeys(study).generate.values()
    with Launcher.open(study) as launch:
        launch(["items"])
    with served_ui(config) as (address, process):
        told = ask(address, LAUNCH % first)
        assert told["launchRun"]["__typename"] == "LaunchRunSuccess"
        while len(server.requests) < ANSWERS:
            assert process.poll() is None
            time.sleep(0.1)
        command = psutil.Process(process.pid)
        family = [command, *command.children(recursive=True)]
        assert len(family) >= 6  # a run is one of them
        family[who].send_signal(how)
        _, alive = psutil.wait_procs(family, 60)
        assert alive == []
    assert len(server.requests) < ITEMS
    assert api.run(config).errored == 0
    assert_reconciled(config)
    report_fault(
        "the UI dies while a run of it calls models",
        "no process stays; what was answered is kept",
        injected=1,
        loss=loss_of(config, server, items=ITEMS, in_flight=CONNECTIONS),
    )


@pytest.mark.skipif("TEST_ROUNDS" not in os.environ, reason="takes long: part of make faults")
def test_a_run_that_is_terminated_in_the_ui_keeps_its_answers(
    tmp_path: Path, serve: Serve, report_fault: Report
) -> None:
    """Promised: the run is canceled and calls nobody any more; the schedule goes on from there."""
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=ITEMS, solvers={"max_connections": CONNECTIONS})
    study = load_study(config)
    [first, *_] = PartitionKeys(study).generate.values()
    with Launcher.open(study) as launch:
        launch(["items"])
    with served_ui(config) as (address, process):
        run_id = ask(address, LAUNCH % first)["launchRun"]["run"]["runId"]
        while len(server.requests) < ANSWERS:
            assert process.poll() is None
            time.sleep(0.1)
        told = ask(address, TERMINATE % run_id)
        assert told["terminateRun"]["__typename"] == "TerminateRunSuccess"
        while (status := ask(address, STATUS % run_id)["runOrError"]["status"]) not in ENDED:
            time.sleep(0.2)
        made = len(server.requests)
    assert status == "CANCELED"
    assert made == len(server.requests) < ITEMS
    with ticking(study) as (tick, execute):
        for _ in range(2):
            requests = tick()
            assert not isinstance(requests, dg.SkipReason)
            execute(requests)
    assert server.count("m") == ITEMS
    assert api.run(config).calls == 0
    assert_reconciled(config)
    report_fault(
        "a run of the UI is terminated there",
        "canceled; no further request; the schedule goes on from there, nothing is paid twice",
        injected=1,
        loss=loss_of(config, server, items=ITEMS),
    )
