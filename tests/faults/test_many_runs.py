"""Several processes that run one study at once."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from itemeval_assets.cli.main import run_cli
from tests.commands import Command, Program
from tests.model_server import Behaviour
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, cells, rows, write_prices

from .conftest import Report
from .study_runs import TIMES, Loss, declare, loss_of, run_stages

ITEMS, PATIENCE_S = 6, 240
ROUNDS = int(os.environ.get("TEST_ROUNDS", "1"))
AT_ONCE = 4 if "TEST_ROUNDS" in os.environ else 2

# One of two runs is ended so, while the other works on a condition of its own, or on the same.
ENDS = [
    (signal.SIGKILL, False, 1),
    (signal.SIGINT, True, 1),
    (signal.SIGTERM, True, 2),
    (signal.SIGKILL, True, 2),
    (signal.SIGINT, False, 2),
]


def run() -> None:
    run_stages(Path(sys.argv[1]))


@pytest.mark.parametrize("runs", [2, 8] if ROUNDS > 1 else [2])
def test_runs_at_once_pay_every_call_once(
    tmp_path: Path, serve: Serve, runs: int, report_fault: Report
) -> None:
    """Promised: they share the work; all rows, every call once, and the books agree."""
    server, total, times = serve(Behaviour(latency_s=0.2)), Loss(), max(1, TIMES // runs)
    for number in range(times):
        server.requests = []
        config = declare(tmp_path / str(number), items=ITEMS, solvers={"max_connections": 2})
        told = [tmp_path / f"{number}_{each}.txt" for each in range(runs)]
        started = [Program(f"{__name__}:run", config, output=file) for file in told]
        ended = [process.wait(PATIENCE_S) for process in started]
        assert ended == [0] * runs, [file.read_text() for file in told]
        assert server.count("m") == server.count("judge") == ITEMS
        assert len(cells(rows(config, "solutions"))) == ITEMS
        run_stages(config)
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    report_fault(
        f"{runs} runs of one study at once",
        "every call paid once; all rows; reconciled",
        injected=times,
        loss=total,
    )


def test_runs_at_once_on_conditions_of_their_own_all_end_well(
    tmp_path: Path, serve: Serve, report_fault: Report
) -> None:
    """Promised: exit code 0 each time; what one run has not yet booked fails no other."""
    models = [f"openai-api/test/m{number}" for number in range(AT_ONCE)]
    serve()
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        prices = write_prices(folder, *(model.rpartition("/")[2] for model in models))
        budget = {"budget": {"pricing_path": prices, "max_usd": 100}}
        config = declare(folder, models=models, graders=[], items=ITEMS, extra=budget)
        told = [folder / f"{model.rpartition('/')[2]}.txt" for model in models]
        started = [
            Command("run", config, "--yes", "--condition", model, output=file)
            for model, file in zip(models, told, strict=True)
        ]
        ended = [process.wait(PATIENCE_S) for process in started]
        assert ended == [0] * len(models), [file.read_text()[-2000:] for file in told]
        assert len(rows(config, "solutions")) == len(models) * ITEMS
        assert_reconciled(config)
    report_fault(
        f"{AT_ONCE} runs at once on conditions of their own",
        "exit code 0 each time; reconciled",
        injected=ROUNDS,
    )


@pytest.mark.parametrize(("how", "apart", "workers"), ENDS if ROUNDS > 1 else [])
def test_the_end_of_one_run_is_not_that_of_another(
    tmp_path: Path,
    serve: Serve,
    report_fault: Report,
    how: signal.Signals,
    apart: bool,
    workers: int,
) -> None:
    """Promised: the other run ends with 0; no row is lost or doubled, and no answer paid twice."""
    server = serve(Behaviour(latency_s=0.3))
    models = ["openai-api/test/m", "openai-api/test/n"]
    config = declare(tmp_path, items=ITEMS, models=models, solvers={"max_connections": 1})
    started: list[Command] = []
    for model in models:
        chosen = ["--condition", model] if apart else []
        line = ["--yes", "--workers", str(workers), *chosen]
        told = tmp_path / f"{len(started)}.txt"
        started.append(Command("run", config, *line, output=told))
    victim, other = started
    while server.count("m") < 2 and victim.poll() is None:
        time.sleep(0.01)
    victim.send_signal(how)
    assert victim.wait(PATIENCE_S) != 0
    assert other.wait(PATIENCE_S) == 0, (tmp_path / "1.txt").read_text()[-2000:]
    for command in ("run", "export", "run"):
        made = server.count()
        assert run_cli([command, str(config)]) == 0
    assert server.count() == made
    assert_reconciled(config)
    assert len(rows(config, "solutions")) == len(cells(rows(config, "solutions"))) * 2
    found = loss_of(config, server, items=2 * ITEMS, in_flight=4 if how is signal.SIGKILL else 0)
    report_fault(
        f"{how.name} to one of two runs on {'conditions of their own' if apart else 'the same'}",
        "the other ends with 0; no row is lost or doubled",
        injected=1,
        # Nobody says what a call cost whose answer nobody has read.
        loss=found._replace(usd=0.0) if how is signal.SIGKILL else found,
    )
