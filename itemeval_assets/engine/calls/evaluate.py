"""Runs many Tasks in one inspect eval: a failing condition never stops its siblings."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import inspect_ai
from inspect_ai import Task
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelCost, ModelInfo, set_model_info
from inspect_ai.model._model_info import _get_model_info_direct

from itemeval_assets.core.config.sections import SolversConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.money.prices import Price
from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.engine.advice import one_line
from itemeval_assets.engine.inspect_folders import LOG_LEVEL, with_usable_folders
from itemeval_assets.engine.logs.broken import complete_header, why_broken
from itemeval_assets.engine.models.mock_models import counting_here
from itemeval_assets.host.exits import no_process_exit
from itemeval_assets.host.garbage import little_garbage_collection
from itemeval_assets.host.standard_output import output_to_stderr

from .exits import tools_without_exits
from .hooks import tell_of_calls
from .in_flight.calls import calls_of_eval
from .in_flight.watching import all_watched
from .interruption import apart_from_loops, interruptible
from .lean import no_other_client, quick_yaml, without_editors
from .tasks import shows_images

# A cell that still fails after the retries of its request waits for the next run.
_RETRY_ON_ERROR = 0
# inspect's own default is to retry for ever, and a stalled request would hang a run.
_MAX_RETRIES = 5
_ATTEMPT_TIMEOUT_S = 600
# A killed run can lose the finished samples that are not on the disk yet. Each flush writes the
# whole log of a Task anew, so that a large one is flushed at every hundredth of its samples only.
_SMALL_TASK = 400
_FLUSHES_PER_LARGE_TASK = 100
_MAX_TASKS_IN_FLIGHT = 64

_of_this_process: Mapping[str, int] = {}


def share_connections(by_provider: Mapping[str, int]) -> None:
    """This process is one of several that call for one command: what it may have of each limit."""
    global _of_this_process
    _of_this_process = by_provider


def request_settings(
    solvers: SolversConfig, model: str, batch: bool | int | None
) -> dict[str, Any]:
    """How a model is called, as inspect's GenerateConfig names it; none of it enters an id."""
    return {
        "max_retries": _MAX_RETRIES if solvers.max_retries is None else solvers.max_retries,
        # A batch is given a day by its provider, and is larger than any number of connections.
        "attempt_timeout": None if batch else solvers.attempt_timeout or _ATTEMPT_TIMEOUT_S,
        "max_connections": None if batch else connections_to(solvers, model),
        "batch": batch,
    }


def connections_to(solvers: SolversConfig, model: str) -> int | None:
    """How many calls to the model's provider may be in flight; None leaves it to inspect."""
    limit, provider = solvers.max_connections, provider_of(model)
    if isinstance(limit, dict):
        limit = limit.get(provider, limit.get(provider.split("/")[0]))
    return None if limit is None else _of_this_process.get(provider, limit)


def tell_prices(prices: Mapping[str, Price | None]) -> None:
    """Tell inspect what the models cost, so that its logs have a cost of their own.

    Here instead of by `model_cost_config`, which refuses models that inspect does not know.
    """
    for model, price in prices.items():
        cost = None
        if price is not None:
            full = price.less(0)
            cost = ModelCost(
                input=full.input_usd_per_mtok,
                output=full.output_usd_per_mtok,
                input_cache_read=full.cache_read_usd_per_mtok or 0.0,
                input_cache_write=full.cache_write_usd_per_mtok or 0.0,
            )
        with quick_yaml():
            known = _get_model_info_direct(model) or ModelInfo()
        set_model_info(model, known.model_copy(update={"cost": cost}))


def evaluate(
    tasks: list[Task], log_dir: Path, retry_on_error: int | None, *, score: bool = False
) -> list[EvalLog]:
    """Evaluate the tasks, one .eval log each in `log_dir`, and return the headers of the logs.

    `score`: they are tasks of others, which score their samples, and may call any model.

    A failed sample is data: it carries its error, and the eval goes on. A Task that breaks has a
    log with a status beside "success", and the others go on, too. Without realtime
    events inspect is faster; finished samples are flushed to the log anyway.
    Raises KeyboardInterrupt for a SIGINT or SIGTERM, once the logs of what was answered are kept.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    with (
        _as_others_log(),
        # What the code of others prints goes where it spoils no result.
        output_to_stderr() if score else no_other_client(),
        counting_here(),
        without_editors(),
        little_garbage_collection(),
        calls_of_eval(tell_of_calls) as calls,
        interruptible(calls),
        _without_warnings_of_replies(),
    ):
        with_usable_folders()
        with (
            _problems_of_tasks() if score else nullcontext(),
            no_process_exit() if score else nullcontext(),
            all_watched() if score else nullcontext(),
            tools_without_exits(),
        ):
            logs = apart_from_loops(lambda: _eval(tasks, log_dir, retry_on_error, score), calls)
    is_cut = len(logs) < len(tasks) or any(log.status == "cancelled" for log in logs)
    if calls.is_stopping or is_cut:
        # inspect takes the signal for itself and returns what there is: the run ends here all
        # the same, and the next one reads the finished calls back from the logs.
        raise KeyboardInterrupt
    for log in logs:
        if why_broken(log):
            _require_log(log, score)
            complete_header(log, calls.spent)
    calls.spent.forget()
    return logs


def _require_log(log: EvalLog, score: bool) -> None:
    """Raise ConfigError where inspect gave up before it wrote a log: only its message is there."""
    if not Path(log.location).exists():
        of = (
            "benchmark.task: inspect_ai cannot run the task" if score else "inspect_ai cannot begin"
        )
        said = log.error.message if log.error else f"the status of its eval is {log.status}"
        raise ConfigError(f"{of}: {' '.join(said.split())}")


@contextmanager
def _problems_of_tasks() -> Iterator[None]:
    """What a task lacks before its first sample, such as its sandbox, is told as its problem."""
    try:
        yield
    except Exception as error:  # inspect, and sandboxes of others, raise their own
        raise ConfigError(
            f"benchmark.task: inspect_ai cannot run the task: {one_line(error)}"
        ) from error


@contextmanager
def _as_others_log() -> Iterator[None]:
    """inspect raises the level of all loggers of the process, and takes what they log for itself.

    After an eval they log as before: a notebook's own warnings are shown.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)


@contextmanager
def _without_warnings_of_replies() -> Iterator[None]:
    """inspect writes each reply to its log as it came; pydantic tells the user's terminal of every
    part whose type the client does not declare. Rows and log tell it as an error, or not at all."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
        yield


def _eval(
    tasks: list[Task], log_dir: Path, retry_on_error: int | None, score: bool
) -> list[EvalLog]:
    return inspect_ai.eval(
        tasks,
        log_dir=str(log_dir),
        log_format="eval",
        log_realtime=False,
        # The study has the images, by their hashes, and each once.
        log_images=False if not score and any(map(shows_images, tasks)) else None,
        log_buffer=_samples_per_flush(max(_calls(task) for task in tasks)),
        log_level=LOG_LEVEL,
        display="none",
        max_tasks=min(len(tasks), _MAX_TASKS_IN_FLIGHT),
        fail_on_error=False,
        retry_on_error=_RETRY_ON_ERROR if retry_on_error is None else retry_on_error,
        score=score,
        # Metrics of a task are of all its samples: one that fails on the first few ends the eval.
        score_display=False,
        log_header_only=True,
        ctl_server=False,
        acp_server=False,
    )


def _calls(task: Task) -> int:
    """How many calls a Task makes at most."""
    return len(task.dataset) * (task.epochs or 1)


def _samples_per_flush(calls: int) -> int:
    return 1 if calls < _SMALL_TASK else calls // _FLUSHES_PER_LARGE_TASK
