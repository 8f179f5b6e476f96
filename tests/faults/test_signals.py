"""Signals at points all over a run: nothing is lost or doubled, and every later command exits 0."""

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from itemeval_assets.cli.main import run_cli
from tests.commands import Command
from tests.model_server import Behaviour, ModelServer
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, cells, results_dir, rows

from .conftest import Report
from .study_runs import Loss, declare, loss_of

# At so many points of each series; `make faults` takes 20.
POINTS = int(os.environ.get("TEST_SIGNALS", "1"))
CONNECTIONS, LATENCY_S = 12, 0.06
# Above 400 calls a condition's log is flushed at every hundredth of them, below at each.
LARGE, SMALL = 460, 20
# Items and workers; each point is four whole runs.
CASES = [(LARGE, 1), (LARGE, 2), (SMALL, 1), (SMALL, 2)] if POINTS > 1 else [(SMALL, 1)]
STARTUP_S, PATIENCE_S = 120.0, 240.0


class Manner(NamedTuple):
    """How a run is ended: the signals, and how many answered calls may be lost with it."""

    name: str
    signals: tuple[signal.Signals, ...]
    may_lose: int


ONCE = Manner("SIGINT", (signal.SIGINT,), 0)
TWICE = Manner("SIGINT twice", (signal.SIGINT, signal.SIGINT), CONNECTIONS)
TERM = Manner("SIGTERM", (signal.SIGTERM,), 0)
KILL = Manner("kill -9", (signal.SIGKILL,), 2 * CONNECTIONS)
# What a run writes after its last request, and how it is ended then.
LATE = [
    ("gradings_long.parquet/*/*", KILL),
    ("gradings.parquet/*/*judge*", ONCE),
    ("gradings.parquet/*/*judge*", TWICE),
    ("gradings_long.parquet/*/*", TERM),
    ("export/gradings_long.csv", ONCE),
    ("export/gradings_long.parquet", KILL),
]
PROMISE = "no row is lost or doubled; run, export, and a run with nothing to do exit 0"


def series(calls: int) -> list[int]:
    """Numbers of requests after which a signal comes, over a whole run, its ends included."""
    return [1 + round((calls - 1) * (n + 0.5) / POINTS) for n in range(POINTS)]


def stop(
    config: Path, is_there: Callable[[], bool], manner: Manner, workers: int, **started: bool
) -> int:
    """Run a study until it is there, and end it; its exit code."""
    process = Command("run", config, "--yes", "--workers", str(workers), **started)
    deadline = time.monotonic() + STARTUP_S
    while not is_there() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    for signum in manner.signals:
        process.send_signal(signum)
        time.sleep(0.01)
    return process.wait(PATIENCE_S)


def lost_by(
    folder: Path, server: ModelServer, case: tuple[int, int, int, Manner], **started: bool
) -> Loss:
    """End one run at one point, and go on; what was lost."""
    items, workers, at, manner = case
    models = ["openai-api/test/m", "openai-api/test/n"][:workers]
    solvers = {"max_connections": CONNECTIONS, "max_retries": 2}
    config = declare(folder, items=items, models=models, solvers=solvers)
    assert stop(config, lambda: server.count() >= at, manner, workers, **started) != 0
    return lost_after(config, server, case)


def lost_after(config: Path, server: ModelServer, case: tuple[int, int, object, Manner]) -> Loss:
    """Go on after a run was ended; what was lost."""
    items, workers, _, manner = case
    for command in (["run", "--yes"], ["export"], ["run", "--yes"]):
        made = server.count()
        assert run_cli([command[0], str(config), *command[1:]]) == 0, (command, case)
    assert server.count() == made
    assert_reconciled(config)
    solutions, gradings = rows(config, "solutions"), rows(config, "gradings")
    assert len(cells(solutions)) == items and len(gradings) == 2 * len(solutions)
    found = loss_of(config, server, items=workers * items, in_flight=manner.may_lose)
    # Nobody says what a call cost whose answer nobody has read.
    return found._replace(usd=0.0) if manner.may_lose else found


@pytest.mark.parametrize(("items", "workers"), CASES)
def test_a_signal_at_any_point_of_a_run(
    tmp_path: Path, serve: Serve, report_fault: Report, items: int, workers: int
) -> None:
    manners = itertools.cycle((ONCE, TWICE, ONCE, TERM, ONCE, KILL))
    total, points = Loss(), series(2 * items * workers)
    for at in points:
        # Some answers of the small ones are refused at first, so that retries are in flight.
        refused = 0.1 if items == SMALL else 0.0
        server = serve(Behaviour(latency_s=LATENCY_S, transient=refused))
        total += lost_by(tmp_path / str(at), server, (items, workers, at, next(manners)))
    report_fault(
        f"SIGINT once and twice, SIGTERM, kill -9: conditions of {items} calls, {workers} workers",
        PROMISE,
        injected=len(points),
        loss=total,
    )


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2])
def test_sigterm_ends_a_run_that_a_script_has_put_in_its_background(
    tmp_path: Path, serve: Serve, report_fault: Report, workers: int
) -> None:
    total, points = Loss(), series(2 * SMALL * workers)
    for at in points:
        server = serve(Behaviour(latency_s=LATENCY_S))
        case = (SMALL, workers, at, TERM)
        total += lost_by(tmp_path / str(at), server, case, in_background=True)
    report_fault(
        f"SIGTERM where Ctrl-C is ignored: conditions of {SMALL} calls, {workers} workers",
        PROMISE,
        injected=len(points),
        loss=total,
    )


@pytest.mark.parametrize(("written", "manner"), LATE if POINTS > 1 else LATE[:1])
def test_a_signal_after_the_last_request(
    tmp_path: Path, serve: Serve, report_fault: Report, written: str, manner: Manner
) -> None:
    server, items = serve(), 3
    config = declare(tmp_path, items=items)
    folder = results_dir(config)
    stop(config, lambda: any(folder.glob(written)), manner, 1)
    assert server.count() == 2 * items
    report_fault(
        f"{manner.name} when {written} is written",
        PROMISE,
        injected=1,
        loss=lost_after(config, server, (items, 1, written, manner)),
    )
    assert server.count() == 2 * items
