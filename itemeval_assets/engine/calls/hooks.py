"""From inspect's hooks to whoever listens to the progress of an evaluation."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

from inspect_ai.hooks import (
    Hooks,
    ModelRetry,
    ModelUsageData,
    SampleEnd,
    SampleScoring,
    hooks,
)
from inspect_ai.hooks._startup import init_hooks

from itemeval_assets.engine.logs.usage import token_counts

from .hopeless import undescribed_tool
from .in_flight.calls import current_calls
from .in_flight.ended import was_sent
from .progress import Listener, Progress

UsdOf = Callable[[str, dict[str, int | None]], float | None]


@dataclass
class _Reporting:
    progress: Progress
    listener: Listener
    usd_of: UsdOf


# inspect makes its own instance of a hooks class, and runs one eval at a time per process.
_current: _Reporting | None = None


@contextmanager
def reporting(
    progress: Progress, listener: Listener, usd_of: UsdOf
) -> Iterator[Callable[[str], None]]:
    """Tell `listener` of every finished sample and every retry while the block runs.

    Yields a function that tells what the calls wait for.
    """
    global _current
    _current = _Reporting(progress, listener, usd_of)

    def tell_of_wait(waiting: str) -> None:
        progress.waiting = waiting
        listener(progress)

    try:
        yield tell_of_wait
    finally:
        _current = None


def tell_of_calls(in_flight: int, oldest_s: float) -> None:
    """Tell the listener of an evaluation how many calls are in flight, and since when."""
    if _current is not None:
        _current.progress.in_flight, _current.progress.oldest_s = in_flight, oldest_s
        _current.listener(_current.progress)


@hooks(name="itemeval_assets_progress", description="Counts finished calls, cost and retries")
class ProgressHooks(Hooks):
    """What inspect tells of the calls, told on."""

    def enabled(self) -> bool:
        return _current is not None or current_calls() is not None

    async def on_sample_end(self, data: SampleEnd) -> None:
        if calls := current_calls():
            calls.logged(str(data.sample.uuid))
            if data.sample.error and undescribed_tool(data.sample.error.message):
                calls.are_hopeless = True
        if _current is None or not was_sent(data.sample):
            return
        progress = _current.progress
        progress.done += 1
        progress.waiting = ""
        progress.errored += data.sample.error is not None
        for model, usage in data.sample.model_usage.items():
            progress.usd += _current.usd_of(model, token_counts(usage)) or 0.0
        _current.listener(progress)

    async def on_model_usage(self, data: ModelUsageData) -> None:
        if calls := current_calls():
            calls.used(data.model_name, data.usage)

    async def on_sample_scoring(self, data: SampleScoring) -> None:
        if calls := current_calls():
            calls.scoring(data.sample_id)

    async def on_model_retry(self, data: ModelRetry) -> None:
        if _current is None:
            return
        _current.progress.retries += 1
        status = data.status_code or data.exception_type or "no answer"
        _current.progress.waiting = f"{data.model_name}: {status}, waits {data.wait_time:.0f} s"
        _current.listener(_current.progress)


# inspect announces the hooks of a process on its standard output; these are no news to anybody.
with redirect_stdout(io.StringIO()):
    init_hooks()
