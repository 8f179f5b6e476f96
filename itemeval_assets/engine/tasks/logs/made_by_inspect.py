"""Logs that `inspect eval` has made: whether they are of a study's task, and what they hold."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai._util.registry import registry_lookup
from inspect_ai.log import EvalLog
from inspect_ai.util import registry_info

from itemeval_assets.core.design.pending import Cell
from itemeval_assets.core.tasks.reference import TaskRef

from ..loaded.loading import load_task
from ..samples import question_of
from .rows import cell_of_sample
from .usage import sent_samples

# Settings that say how a request is sent, and not what is asked: no design has them.
_OF_REQUESTS = {
    *("max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections"),
    *("cache", "cache_prompt", "batch", "max_tool_output", "internal_tools", "parallel_tool_calls"),
    *("logprobs", "top_logprobs", "reasoning_history", "extra_headers"),
}


class LoggedAnswer(NamedTuple):
    """One sample of a log. `question`: its input and its target, as items have them."""

    cell: Cell
    question: tuple[str, str]
    error: str | None


@dataclass(frozen=True)
class LoadedTask:
    """What tells the logs of a task from those of others. `args`: also those left at a default."""

    names: frozenset[str]
    args: Mapping[str, Any]
    defaults: Mapping[str, Any]
    settings: Mapping[str, Any]

    def is_made_by(self, log: EvalLog) -> bool:
        """Whether a log is of this task, called with these arguments."""
        told = {log.eval.task, log.eval.task_registry_name or log.eval.task}
        return bool(told & self.names)

    def has_arguments_of(self, log: EvalLog) -> bool:
        """Whether the task of a log was called with these arguments."""
        return _plain({**self.defaults, **(log.eval.task_args or {})}) == _plain(self.args)

    def asked(self, log: EvalLog) -> dict[str, Any]:
        """The settings that its models were asked with, but for those of the task itself."""
        given = log.plan.config.model_dump(exclude_none=True)
        return {
            name: value
            for name, value in given.items()
            if name not in _OF_REQUESTS and self.settings.get(name) != value
        }


def loaded_task(ref: TaskRef, file: Path | None) -> LoadedTask:
    """Load a task. Raises ConfigError where it cannot be loaded."""
    task = load_task(ref, file)
    registered = registry_info(task).name
    taken = signature(registry_lookup("task", registered)).parameters  # type: ignore[arg-type]
    defaults = {n: p.default for n, p in taken.items() if p.default is not Parameter.empty}
    return LoadedTask(
        names=frozenset({ref.word, ref.short, registered, task.name}),
        args={**defaults, **ref.args},
        defaults=defaults,
        settings=task.config.model_dump(exclude_none=True),
    )


def logged_answers(log: EvalLog) -> Iterator[LoggedAnswer]:
    """What the samples of a log answer."""
    for sample in sent_samples(log):
        error = sample.error.message if sample.error else None
        yield LoggedAnswer(cell_of_sample(sample), question_of(sample), error)


def _plain(args: Mapping[str, Any]) -> Any:
    """As a log keeps arguments."""
    return json.loads(json.dumps(args, default=str, sort_keys=True))
