"""Ctrl-C ends an eval, wherever its tasks are when it comes."""

import signal
from pathlib import Path

import pytest
from dagster._core.errors import raise_execution_interrupts
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log
from inspect_ai.model import GenerateConfig
from inspect_ai.solver import Generate, Solver, TaskState, solver

from itemeval_assets.engine.evaluate import evaluate
from itemeval_assets.engine.mock_models import mock_model

ITEMS, STOPPED_AT = 40, 5


def study_of(calls: list[int], signum: signal.Signals) -> Task:
    """A Task whose fifth call is under way when the signal comes, one call at a time."""

    @solver
    def call() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            calls.append(int(state.sample_id))
            if len(calls) == STOPPED_AT:
                signal.raise_signal(signum)
            return await generate(state)

        return solve

    samples = [Sample(id=number, input="?") for number in range(ITEMS)]
    model, config = mock_model("mockllm/model", judge=False), GenerateConfig(max_connections=1)
    return Task(samples, solver=call(), model=model, config=config)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_within_a_call_ends_the_eval(
    signum: signal.Signals, tmp_path: Path
) -> None:
    calls: list[int] = []
    # As in a step of Dagster, whose handler raises within whatever the process is doing.
    with raise_execution_interrupts():
        mine = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            evaluate([study_of(calls, signum)], tmp_path, retry_on_error=None)
        assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is mine
    assert STOPPED_AT <= len(calls) <= STOPPED_AT + 1
    (log,) = tmp_path.glob("*.eval")
    samples = read_eval_log(str(log)).samples
    assert samples is not None
    assert sum(sample.error is None for sample in samples) == STOPPED_AT - 1
