"""Ctrl-C, twice, while code of a task never comes to its end and gives nobody else a turn."""

import signal
import time
from pathlib import Path

import pytest

from itemeval_assets import api
from tests.commands import Command
from tests.task_files import write_task_study
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, rows, write_prices

HANGS = """\
import time
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import solver

FILE = Path(__file__).parent / "hangs"


def hang(where, id):
    while FILE.exists() and where in FILE.read_text() and int(id) == 5:
        (FILE.parent / "hanging").touch()
        time.sleep(1000)


@solver
def step():
    async def solve(state, generate):
        state = await generate(state)
        hang("solver", state.sample_id)
        return state

    return solve


@scorer(metrics=[mean()])
def odd():
    async def score(state, target):
        hang("scorer", state.sample_id)
        return Score(value=1)

    return score


@task
def sums():
    samples = [Sample(id=n, input=f"Add {n}?", target=str(n)) for n in range(10)]
    return Task(dataset=samples, solver=step(), scorer=odd())
"""
ITEMS, CONNECTIONS = 10, 2


# In short, each but the first with one of the pauses between its signals.
CASES = [
    pytest.param(*case, pause_s, marks=[] if pause_s == in_short else [pytest.mark.long])
    for *case, in_short in (
        ("scorer", 1, signal.SIGINT, None),
        ("solver", 1, signal.SIGINT, 2.0),
        ("scorer", 1, signal.SIGTERM, 0.2),
        ("scorer", 2, signal.SIGINT, 0.2),
    )
    for pause_s in (0.2, 2.0)
]


@pytest.mark.parametrize(("where", "workers", "how", "pause_s"), CASES)
def test_a_task_that_hangs_is_ended_by_the_second_ctrl_c_and_its_answers_are_kept(
    tmp_path: Path, serve: Serve, where: str, workers: int, how: signal.Signals, pause_s: float
) -> None:
    server = serve()
    models = ["m", "n"][:workers]
    config = write_task_study(
        tmp_path,
        text=HANGS,
        models=[f"openai-api/test/{name}" for name in models],
        extra={
            "solvers": {"max_connections": CONNECTIONS, "max_tokens": 100},
            "budget": {"pricing_path": write_prices(tmp_path, *models), "max_usd": 50},
        },
    )
    (tmp_path / "hangs").write_text(where)
    process = Command("run", config, "--yes", "--workers", str(workers))
    process.wait_until((tmp_path / "hanging").exists)
    process.send_signal(how)
    time.sleep(pause_s)
    told = time.monotonic()
    process.send_signal(how)
    assert process.wait(20) != 0
    assert time.monotonic() - told < 10
    (tmp_path / "hangs").unlink()
    before = server.count()
    api.run(config)
    assert len(rows(config, "gradings")) == ITEMS * workers
    # What was at work is asked again.
    assert server.count() - before <= ITEMS * workers - before + (CONNECTIONS + 1) * workers
    assert_reconciled(config)
