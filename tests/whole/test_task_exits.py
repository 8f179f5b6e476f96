"""Code of a task that ends the program, or its process: the error of its sample, and no more."""

import itertools
import os
import sys
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.host.exits import ProcessExit, no_process_exit
from tests.model_server import Answer, Request
from tests.task_files import tool_answer, write_task_study

from .conftest import Serve
from .looking import assert_reconciled, rows, write_prices

# A step, a tool and a scorer, of which one does not come to its end for the third sample.
EXITS = '''\
import asyncio
import os
from os import _exit

from inspect_ai import Task, task
from inspect_ai.agent import react
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import solver
from inspect_ai.tool import tool


def leave(what, id, end=os._exit):
    if int(id) == 3:
        if what == "process":
            end(0)
        raise {"exit": SystemExit(3), "cancel": asyncio.CancelledError(), "own": Own()}[what]


class Own(BaseException):
    pass


@solver
def step(where, what):
    async def solve(state, generate):
        if where == "solver":
            leave(what, state.sample_id)
        return state

    return solve


@tool
def look(where, what):
    async def execute(x: int) -> str:
        """Look at a number.

        Args:
            x: The number.
        """
        if where == "tool":
            leave(what, x)
        return str(x)

    return execute


@scorer(metrics=[mean()])
def odd(where, what):
    async def score(state, target):
        if where == "scorer":
            leave(what, state.sample_id, _exit)
        return Score(value=1)

    return score


@task
def sums(where: str, what: str):
    samples = [Sample(id=n, input=f"Look at {n}", target=str(n)) for n in range(8)]
    return Task(
        dataset=samples,
        solver=[react(tools=[look(where, what)]), step(where, what)],
        scorer=[odd(where, what)],
    )
'''
CALLS = 2
NAMES = {
    "exit": "SystemExit: 3",
    "cancel": "CancelledError",
    "own": "Own",
    "process": "ProcessExit: os._exit(0)",
}

METRIC = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, metric, scorer


@metric
def fails():
    def compute(scores):
        raise {error}

    return compute


@scorer(metrics=[fails()])
def one():
    async def score(state, target):
        return Score(value=1)

    return score


@task
def sums():
    samples = [Sample(id=n, input=f"{{n}}?", target=str(n)) for n in range(6)]
    return Task(dataset=samples, scorer=one())
"""


def reply(request: Request) -> Answer | str | None:
    asked = next(m for m in request.messages if str(m["content"]).startswith("Look at "))
    if any(message["role"] == "tool" for message in request.messages):
        return tool_answer(request, "submit", {"answer": "seen"})
    return tool_answer(request, "look", {"x": int(str(asked["content"]).split()[-1])})


# Each place and each end once; in the long form, each with each.
SHORT = {("solver", "exit"), ("tool", "cancel"), ("scorer", "own"), ("tool", "process")}
CASES = [
    pytest.param(*case, marks=[] if case in SHORT else [pytest.mark.long])
    for case in itertools.product(("solver", "tool", "scorer"), NAMES)
]


@pytest.mark.parametrize(("where", "what"), CASES)
def test_code_of_a_task_that_ends_the_program_is_the_error_of_its_sample(
    tmp_path: Path, serve: Serve, where: str, what: str
) -> None:
    server = serve(reply=reply)
    config = write_task_study(
        tmp_path,
        text=EXITS,
        args={"where": where, "what": what},
        models=["openai-api/test/m"],
        extra={
            "solvers": {"max_connections": 2, "max_tokens": 100},
            "budget": {"pricing_path": write_prices(tmp_path, "m"), "max_usd": 50},
        },
    )
    name = NAMES[what]
    most = CALLS if where != "tool" else 1
    before = 0
    for _ in range(2):
        before = server.count()
        api.run(config)
        found = {row["item_id"]: row["error"] for row in rows(config, "solutions")}
        assert [id for id, error in found.items() if error] == ["3"]
        assert (
            f"the code of the task raised {name} ({config.parent / 'tasks.py'}, line " in found["3"]
        )
        assert len(rows(config, "gradings")) == 7
    assert server.count() - before == most
    assert_reconciled(config)


@pytest.mark.parametrize(
    "error", ["SystemExit(3)", pytest.param("ZeroDivisionError", marks=pytest.mark.long)]
)
def test_a_metric_of_a_task_that_fails_loses_no_answer(
    tmp_path: Path, serve: Serve, error: str
) -> None:
    server = serve()
    config = write_task_study(
        tmp_path,
        text=METRIC.format(error=error),
        models=["openai-api/test/m"],
        extra={"solvers": {"max_connections": 2, "max_tokens": 100}},
    )
    with pytest.raises(ItemevalAssetsError, match=f"{error[:8]}.*the metrics of the task"):
        api.run(config)
    assert server.count() == len(rows(config, "solutions")) == 6
    assert api.run(config).calls == 0
    assert [row["score"] for row in rows(config, "gradings")] == [1.0] * 6
    assert_reconciled(config)


def test_a_file_of_a_task_that_ends_the_process_is_told(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=f"import os\nos._exit(0)\n{METRIC}")
    said = r"cannot be loaded: ProcessExit: os._exit\(0\) \(.*tasks.py, line 2\)"
    with pytest.raises(ItemevalAssetsError, match=said):
        api.estimate(config)


def test_a_child_of_a_task_ends_as_ever() -> None:
    with no_process_exit():
        if not (child := os.fork()):
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("name", ["os", "posix", "nt"])
def test_each_way_to_end_the_process_raises_within_the_block(name: str) -> None:
    if name not in sys.modules:
        pytest.skip(f"no {name} on this system")
    with no_process_exit(), pytest.raises(ProcessExit, match=r"os\._exit\(3\)"):
        sys.modules[name]._exit(3)
