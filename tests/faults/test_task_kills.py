"""Agents that are killed and stopped: finished samples stay, and what the others cost is booked."""

import json
import math
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from tests.commands import Command
from tests.model_answers import completion_answer
from tests.model_server import Answer, Behaviour, Request, json_answer
from tests.task_files import AGENT, ASKING, STUBBORN, agent_reply, write_task_study
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, cells, rows, write_prices

from .conftest import Report
from .study_runs import Loss

KILLS = int(os.environ.get("TEST_KILLS", "1"))
ITEMS, CONNECTIONS = 12 * max(2, KILLS), 4
# Two turns of the agent, and a question of its scorer.
CALLS = 3
# inspect_ai has one sample more at work than there are connections.
AT_WORK = CONNECTIONS + 1
LONGEST_S = 1.5
# What each reply of the server says that it used.
TOKENS = 100


def declare(folder: Path, **extra: Any) -> Path:
    return write_task_study(
        folder,
        task="tasks.py@agent",
        text=AGENT,
        args={"count": ITEMS},
        models=["openai-api/test/m"],
        extra={
            "solvers": {"max_connections": CONNECTIONS, "max_tokens": 100},
            "budget": {"pricing_path": write_prices(folder, "m"), "max_usd": 50_000, **extra},
        },
    )


def even_reply(request: Request) -> Answer:
    """As `agent_reply`, each for the same number of tokens."""
    reply = agent_reply(request)
    answer = (
        reply if isinstance(reply, Answer) else completion_answer(request, str(reply), Behaviour())
    )
    used = {"prompt_tokens": TOKENS - 1, "completion_tokens": 1, "total_tokens": TOKENS}
    return json_answer(200, {**json.loads(answer.body), "usage": used})


def test_random_kills_of_agents_lose_nothing_and_repeat_only_what_was_in_flight(
    tmp_path: Path, serve: Serve, report_fault: Report
) -> None:
    server = serve(Behaviour(latency_s=0.1), reply=even_reply)
    config = declare(tmp_path)
    moments, killed = random.Random(11), 0
    for _ in range(KILLS):
        before = server.count()
        process = Command("run", config, "--yes")
        process.wait_until(lambda: server.count() > before)  # noqa: B023
        time.sleep(moments.uniform(0, LONGEST_S))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
    api.run(config, max_usd=math.inf)
    assert killed == KILLS
    found = rows(config, "solutions")
    assert not any(row["error"] for row in found)
    assert len(found) == len(cells(found)) == ITEMS
    graded = rows(config, "gradings")
    assert len(graded) == 3 * ITEMS and {row["parse_ok"] for row in graded} == {True}
    again = server.count() - CALLS * ITEMS
    report_fault(
        "kill -9 of a run of agents at a random moment",
        "no sample is lost or doubled; only samples in flight are made again",
        injected=killed,
        loss=Loss(0, 0.0, max(0, again - KILLS * AT_WORK * CALLS)),
    )
    assert_reconciled(config)
    # What was answered is booked, also of the samples that never came to their end.
    booked = sum(row["calls"] for row in rows(config, "ledger") if row["usd"])
    assert CALLS * ITEMS <= booked <= server.count()
    called = [row for row in rows(config, "ledger") if row["stage"] == "generate"]
    assert [row["total_tokens"] for row in called] == [row["calls"] * TOKENS for row in called]
    usd = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))
    solved = sum(row["usd"] for row in found)
    # Requests in flight at a kill tell nobody what they cost.
    assert usd >= solved and (usd == solved or again > 0)


def test_a_stopped_agent_sends_no_further_request_and_is_run_again(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(Behaviour(latency_s=0.3), reply=agent_reply)
    config = declare(tmp_path)
    process = Command("run", config, "--yes")
    # Some samples have been answered once, and not for the last time.
    process.wait_until(lambda: server.count() >= CALLS * CONNECTIONS + 2)
    process.send_signal(signal.SIGINT)
    told = time.monotonic()
    assert process.wait() == 1
    assert time.monotonic() - told < 10
    made = server.count()
    api.run(config, max_usd=math.inf)
    found = rows(config, "solutions")
    assert not any(row["error"] for row in found) and len(found) == ITEMS
    assert server.count() - made <= CALLS * ITEMS - (made - AT_WORK * CALLS)
    assert_reconciled(config)


@pytest.mark.parametrize(
    ("how", "workers", "in_bucket"),
    [
        (signal.SIGINT, 1, False),
        (signal.SIGTERM, 2, False),
        pytest.param(signal.SIGINT, 2, False, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 1, False, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, 1, True, marks=pytest.mark.long),
    ],
)
def test_an_agent_that_goes_on_without_its_answers_has_none(
    tmp_path: Path,
    serve: Serve,
    how: signal.Signals,
    workers: int,
    in_bucket: bool,
    request: pytest.FixtureRequest,
) -> None:
    place = {"output_dir": request.getfixturevalue("s3_location")} if in_bucket else {}
    server = serve(Behaviour(latency_s=0.2))
    models = [f"openai-api/test/{name}" for name in ("m", "n")[:workers]]
    config = write_task_study(
        tmp_path,
        task="tasks.py@stubborn",
        text=STUBBORN,
        models=models,
        extra={"solvers": {"max_connections": CONNECTIONS, "max_tokens": 100}, **place},
    )
    process = Command("run", config, "--yes", "--workers", str(workers))
    process.wait_until(lambda: server.count() >= CONNECTIONS * 3)
    process.send_signal(how)
    assert process.wait() == 1
    assert {row["score"] for row in rows(config, "gradings")} <= {1.0}
    api.run(config, max_usd=math.inf)
    found = rows(config, "solutions")
    assert not any(row["error"] or "failed" in row["solution"] for row in found)
    assert [row["score"] for row in rows(config, "gradings")] == [1.0] * 8 * workers
    assert_reconciled(config)


@pytest.mark.parametrize("signals", [1, pytest.param(3, marks=pytest.mark.long)])
def test_a_scorer_that_goes_on_without_its_answers_gives_no_score(
    tmp_path: Path, serve: Serve, signals: int
) -> None:
    server = serve(Behaviour(latency_s=0.2))
    config = write_task_study(
        tmp_path,
        task="tasks.py@asking",
        text=ASKING,
        args={"most": 6},
        models=["openai-api/test/m"],
        extra={"solvers": {"max_connections": CONNECTIONS, "max_tokens": 100}},
    )
    process = Command("run", config, "--yes")
    process.wait_until(lambda: any("Juror 2" in one.prompt for one in server.requests))
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.wait() == 1
    assert {row["score"] for row in rows(config, "gradings")} <= {1.0}
    api.run(config, max_usd=math.inf)
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert [row["score"] for row in rows(config, "gradings")] == [1.0] * 8
    assert_reconciled(config)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.long), "2"])
def test_answers_of_models_that_a_task_asks_on_its_own_are_waited_for(
    tmp_path: Path, serve: Serve, workers: str
) -> None:
    server = serve(Behaviour(latency_s=0.5))
    config = write_task_study(
        tmp_path,
        task="tasks.py@stubborn",
        text=STUBBORN,
        args={"model": "openai-api/test/own"},
        models=["openai-api/test/m", "openai-api/test/n"],
        extra={"solvers": {"max_connections": CONNECTIONS, "max_tokens": 100}},
    )
    process = Command("run", config, "--yes", "--workers", workers)
    process.wait_until(lambda: server.count() >= CONNECTIONS * 3 and server.in_flight() > 0)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 1
    assert all(one.delivered for one in server.requests)
    assert api.recover(config) is not None
    assert sum(row["calls"] for row in rows(config, "ledger")) == server.count()
    assert {row["model"] for row in rows(config, "ledger") if row["calls"]} >= {
        "openai-api/test/own"
    }
    api.run(config, max_usd=math.inf)
    assert not any("failed" in row["solution"] for row in rows(config, "solutions"))
    assert_reconciled(config)
