"""Ctrl-C ends an eval, wherever its tasks are when it comes, and keeps every answer that came."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from dagster._core.errors import raise_execution_interrupts
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import GenerateConfig

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.prompts.prompts import one_message
from itemeval_assets.engine.calls.evaluate import evaluate
from itemeval_assets.engine.calls.hooks import reporting
from itemeval_assets.engine.calls.in_flight import calls as calls_of_runs
from itemeval_assets.engine.calls.in_flight.allowance import Allowance
from itemeval_assets.engine.calls.in_flight.calls import Calls
from itemeval_assets.engine.calls.in_flight.ended import was_sent
from itemeval_assets.engine.calls.in_flight.turns import Turns
from itemeval_assets.engine.calls.in_flight.watching import watched
from itemeval_assets.engine.calls.interruption import apart_from_loops
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.engine.calls.tasks import CallSettings, Target, build_task, make_sample

CONNECTIONS, STOPPED_AT = 4, 10


class Provider:
    """Answers each request after a while, and does something at the tenth."""

    def __init__(self, seconds: float, at_tenth: Any) -> None:
        self.seconds, self.at_tenth = seconds, at_tenth
        self.requests = self.answers = 0

    def task(self, items: int) -> Any:
        model = RunModels().resolve("mockllm/model", "solvers.models")
        inner = model.api
        whole = inner.generate

        async def generate(*args: Any, **kwargs: Any) -> Any:
            self.requests += 1
            if self.requests == STOPPED_AT:
                self.at_tenth()
            await anyio.sleep(self.seconds)
            self.answers += 1
            return await whole(*args, **kwargs)

        del inner.generate, inner.should_retry  # what lies under the watch
        whole = inner.generate
        inner.generate = generate  # type: ignore[method-assign]
        watched(model)
        settings = CallSettings(
            use_cache=False,
            fresh=set(),
            allowance=Allowance(0.0, lambda *_: None),
            turns=Turns(),
            connections=CONNECTIONS,
        )
        samples = {
            Cell(f"q{n}", 1): (make_sample(f"q{n}", one_message(f"{n}?"), "1", {}), 1)
            for n in range(items)
        }
        target = Target("calls", model, GenerateConfig(max_connections=2 * CONNECTIONS))
        return build_task(target, "calls", samples, settings, {})


@contextmanager
def stopped(provider: Provider, items: int, folder: Path) -> Iterator[EvalLog]:
    """The log of an eval that a signal ends."""
    # As in a step of Dagster, whose handler raises within whatever the process is doing.
    with raise_execution_interrupts():
        mine = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            evaluate([provider.task(items)], folder, retry_on_error=None)
        assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is mine
    (log,) = folder.glob("*.eval")
    yield read_eval_log(str(log))


def usage_of(usages: Any) -> int:
    return sum((usage.total_tokens for usage in usages), 0)


@pytest.mark.parametrize("items", [40, 460])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_answers_on_their_way_are_waited_for_and_kept(
    signum: signal.Signals, items: int, tmp_path: Path
) -> None:
    provider = Provider(0.05, lambda: signal.raise_signal(signum))
    with stopped(provider, items, tmp_path) as log:
        samples = [sample for sample in log.samples or [] if was_sent(sample)]
        assert len(samples) == provider.requests == provider.answers
        assert STOPPED_AT <= provider.requests < STOPPED_AT + CONNECTIONS
        assert not any(sample.error for sample in samples)
        kept = usage_of(usage for sample in samples for usage in sample.model_usage.values())
        assert kept == usage_of(log.stats.model_usage.values()) > 0


def test_a_second_signal_waits_for_nothing(tmp_path: Path) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    provider, begun = Provider(30.0, twice), time.monotonic()
    provider.seconds = 0.0
    provider.at_tenth = lambda: (setattr(provider, "seconds", 30.0), twice())
    with stopped(provider, 40, tmp_path) as log:
        samples = [sample for sample in log.samples or [] if was_sent(sample)]
        assert len(samples) == provider.requests
        assert sum(sample.error is None for sample in samples) == provider.answers
        cut = [sample.error.message for sample in samples if sample.error]
        assert set(cut) == {"the run was stopped before an answer came"}
    assert time.monotonic() - begun < 25


def test_an_answer_that_does_not_come_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_of_runs, "GRACE_S", 0.2)
    provider = Provider(0.0, lambda: None)
    provider.at_tenth = lambda: (
        setattr(provider, "seconds", 600.0),
        signal.raise_signal(signal.SIGINT),
    )
    with stopped(provider, 460, tmp_path) as log:
        samples = [sample for sample in log.samples or [] if was_sent(sample)]
        assert len(samples) == provider.requests
        assert sum(sample.error is not None for sample in samples) >= 1


def test_a_provider_that_hangs_shows_in_the_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_of_runs, "TICK_S", 0.02)
    heard: list[tuple[int, float, int]] = []

    def listen(progress: Progress) -> None:
        heard.append((progress.in_flight, progress.oldest_s, progress.done))

    provider = Provider(0.5, lambda: None)
    with reporting(Progress("generate", CONNECTIONS), listen, lambda *_: None):
        evaluate([provider.task(CONNECTIONS)], tmp_path, retry_on_error=None)
    while_all_hang = [
        since_s for waits, since_s, done in heard if waits == CONNECTIONS and not done
    ]
    assert max(while_all_hang) > 0.2
    assert heard[-1] == (0, 0.0, CONNECTIONS)


def test_what_looks_for_a_loop_is_no_cause_of_an_error_of_a_call() -> None:
    """inspect shows of an error what came first: where that is ours, nobody sees its own."""

    def work() -> BaseException | None:
        try:
            raise ValueError("401")
        except ValueError as error:
            return error.__context__

    assert apart_from_loops(work, Calls(lambda *_: None)) is None
