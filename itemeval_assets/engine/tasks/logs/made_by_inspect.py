"""Logs that `inspect eval` has made: whether they are of a study's task, and what they hold."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from inspect_ai._util.registry import registry_lookup
from inspect_ai.log import EvalLog
from inspect_ai.util import registry_info

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.tasks.reference import TaskRef

from ..loaded.loading import load_task
from ..samples import question_of
from .rows import cell_of_sample
from .usage import sent_samples

# Settings that say how a request is sent, and not what is asked: no design has them.
OF_REQUESTS = {
    *("max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections"),
    *("cache", "cache_prompt", "batch", "max_tool_output", "internal_tools", "parallel_tool_calls"),
    *("logprobs", "top_logprobs", "reasoning_history", "extra_headers"),
}
LIMITS = ("message_limit", "token_limit", "time_limit", "working_limit", "cost_limit")


class TaskOfLogs(Protocol):
    """What tells the logs of a task from those of others, whether or not its code is here."""

    def is_made_by(self, log: EvalLog) -> bool:
        """Whether a log is of this task."""
        ...

    def has_arguments_of(self, log: EvalLog) -> bool:
        """Whether the task of a log was called with these arguments."""
        ...

    def why_another(self, log: EvalLog) -> str | None:
        """What of a log was not as the task has it."""
        ...

    def asked(self, log: EvalLog) -> dict[str, Any]:
        """The settings that its models were asked with, but for those of the task itself."""
        ...


class LoggedAnswer(NamedTuple):
    """One sample of a log. `question`: its input and its target, as items have them.

    A log of a retried eval has the samples of the first one again, under the same `uuid`.
    """

    cell: Cell
    question: tuple[str, str]
    error: str | None
    uuid: str


@dataclass(frozen=True)
class LoadedTask:
    """What tells the logs of a task from those of others. `args`: also those left at a default."""

    names: frozenset[str]
    args: Mapping[str, Any]
    defaults: Mapping[str, Any]
    settings: Mapping[str, Any]
    limits: Mapping[str, Any]
    file: str | None

    def is_made_by(self, log: EvalLog) -> bool:
        """Whether a log is of this task, called with these arguments."""
        told = {log.eval.task, log.eval.task_registry_name or log.eval.task}
        return bool(told & self.names)

    def why_another(self, log: EvalLog) -> str | None:
        """What of a log was not as the task has it: told when `inspect eval` was called."""
        spec = log.eval
        limits = {name: getattr(spec.config, name, None) for name in LIMITS}
        if self.file and spec.task_file and Path(spec.task_file).name != self.file:
            return "a task of this name in another file"
        if spec.solver:
            return "another solver"
        if spec.model_roles:
            return "models in roles"
        if any(given is not None and given != self.limits.get(n) for n, given in limits.items()):
            return "other limits"
        return None

    def has_arguments_of(self, log: EvalLog) -> bool:
        """Whether the task of a log was called with these arguments."""
        return plain({**self.defaults, **(log.eval.task_args or {})}) == plain(self.args)

    def asked(self, log: EvalLog) -> dict[str, Any]:
        """The settings that its models were asked with, but for those of the task itself."""
        given = log.plan.config.model_dump(exclude_none=True)
        return {
            name: value
            for name, value in given.items()
            if name not in OF_REQUESTS and self.settings.get(name) != value
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
        limits={name: getattr(task, name, None) for name in LIMITS},
        file=file.name if file else None,
    )


def logged_answers(log: EvalLog) -> Iterator[LoggedAnswer]:
    """What the samples of a log answer."""
    for sample in sent_samples(log):
        error = sample.error.message if sample.error else None
        cell = cell_of_sample(sample)
        uuid = sample.uuid or f"{log.eval.task_id}:{cell.item_id}:{cell.epoch}"
        yield LoggedAnswer(cell, question_of(sample), error, uuid)


def plain(args: Mapping[str, Any]) -> Any:
    """As a log keeps arguments."""
    return json.loads(json.dumps(args, default=str, sort_keys=True))
