"""What code of a task writes to standard output goes elsewhere: it is for results."""

import json
from pathlib import Path

import pytest

from tests.commands import Command
from tests.task_files import write_task_study

NOISY = """\
import os
import subprocess

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import solver


def cry(where):
    print(where, "printed")
    os.write(1, f"{where} wrote\\n".encode())
    subprocess.run(["echo", where, "echoed"], check=True)


cry("file")


@solver
def noisy():
    async def solve(state, generate):
        cry("solver")
        return await generate(state)

    return solve


@scorer(metrics=[mean()])
def loud():
    async def score(state, target):
        cry("scorer")
        return Score(value=1)

    return score


@task
def sums():
    cry("task")
    samples = [Sample(id=n, input=f"{n}?", target=str(n)) for n in range(3)]
    return Task(dataset=samples, solver=noisy(), scorer=loud())
"""


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2])
def test_standard_output_is_one_document_whatever_a_task_writes(
    tmp_path: Path, workers: int
) -> None:
    config = write_task_study(tmp_path, text=NOISY, models=["mockllm/a", "mockllm/b"])
    for number, words in enumerate(
        (
            ["estimate"],
            ["run", "--workers", str(workers)],
            ["run", "--force", "--yes"],
            ["status"],
            ["scores"],
        )
    ):
        out, err = (tmp_path / f"{number}.{kind}" for kind in ("out", "err"))
        process = Command(words[0], config, *words[1:], "--json", output=out, errors=err)
        assert process.wait() == 0, err.read_text()
        assert isinstance(json.loads(out.read_text()), dict), words
    said = (tmp_path / "2.err").read_text()
    for where in ("file", "task", "solver", "scorer"):
        assert all(f"{where} {how}" in said for how in ("printed", "wrote", "echoed"))
