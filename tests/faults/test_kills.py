"""Runs that are killed at random moments, one after the other, until the study is done."""

import math
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.commands import Command
from tests.model_server import Behaviour
from tests.studies import write_study
from tests.whole.conftest import Serve
from tests.whole.looking import (
    assert_reconciled,
    cells,
    judge_calls,
    results_dir,
    rows,
    write_prices,
)

from .conftest import Report
from .study_runs import Loss, unbooked_usd

# `make faults` has four, and twenty with TEST_KILLS=20.
KILLS = int(os.environ.get("TEST_KILLS", "1"))
# At 20 calls a second every kill comes while there is work left.
ITEMS, CONNECTIONS = 16 * max(2, KILLS), 4
LONGEST_S = 1.5


def declare(folder: Path) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=ITEMS,
        solvers={"max_connections": CONNECTIONS, "max_tokens": 100},
        extra={
            "cache": False,
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 50},
        },
    )


@contextmanager
def reading(folder: Path) -> Iterator[list[str]]:
    """Read every table of a study all the time; the list holds what could not be read."""
    unreadable: list[str] = []
    stopping = threading.Event()

    def read() -> None:
        while not stopping.wait(0.05):
            for path in folder.rglob("*.parquet"):
                if path.is_file() and not path.name.startswith("."):
                    try:
                        # Pandas opens a path twice, and a run may replace the file in between.
                        with path.open("rb") as file:
                            pd.read_parquet(file)
                    except Exception as error:
                        unreadable.append(f"{path}: {error!r}")

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield unreadable
    finally:
        stopping.set()
        thread.join()


def test_random_kills_lose_nothing_double_nothing_and_repeat_little(
    tmp_path: Path, serve: Serve, report_fault: Report
) -> None:
    server = serve(Behaviour(latency_s=0.2))
    config = declare(tmp_path)
    moments, killed = random.Random(7), 0
    with reading(results_dir(config)) as unreadable:
        for _ in range(KILLS):
            before = server.count()
            process = Command("run", config, "--yes")
            process.wait_until(lambda: server.count() > before)  # noqa: B023
            time.sleep(moments.uniform(0, LONGEST_S))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        api.run(config, max_usd=math.inf)
    assert killed == KILLS
    assert unreadable == []
    lost = 0
    for table, wanted in (("solutions", ITEMS), ("gradings", 2 * ITEMS)):
        found = rows(config, table)
        assert not any(row["error"] for row in found)
        lost += abs(wanted - len(found))
    assert len(cells(rows(config, "solutions"))) == ITEMS
    judged = judge_calls(server.requests)
    made = (judged, server.count() - judged)
    assert min(made) >= ITEMS
    in_flight = KILLS * CONNECTIONS
    report_fault(
        "kill -9 of a whole run at a random moment",
        "no row is lost or doubled; only calls in flight are made again",
        injected=killed,
        loss=Loss(lost, 0.0, sum(max(0, calls - ITEMS - in_flight) for calls in made)),
    )
    assert_reconciled(config)


def test_recover_reads_the_logs_of_a_killed_run_and_calls_nobody(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path)
    process = Command("run", config, "--yes")
    process.wait_until(lambda: server.count() >= 20)
    process.kill()
    process.wait()
    made = server.count()
    assert run_cli(["recover", str(config)]) == 0
    assert "Recovered" in capsys.readouterr().out
    assert server.count() == made
    stored = rows(config, "solutions")
    # The log may lag behind its calls; what they cost does not.
    assert 0 < len(stored) <= made
    assert unbooked_usd(config, server, in_flight=CONNECTIONS) == 0.0
    assert_reconciled(config)
    assert run_cli(["recover", str(config)]) == 0  # again: there is nothing left to read
    assert "Recovered" not in capsys.readouterr().out
    assert rows(config, "solutions") == stored
