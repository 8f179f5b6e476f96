"""What the steps of a task tell before it runs."""

from collections.abc import Iterator, Sequence
from typing import Any

from inspect_ai import Task
from inspect_ai.util import registry_info

OF_CHOICES = "multiple_choice"
# Steps of inspect_ai that make one call of each sample, and those that make none; of any other
# nobody knows.
_ONE_CALL = ("generate", OF_CHOICES)
_NO_CALL = (
    *("system_message", "user_message", "assistant_message"),
    *("prompt_template", "chain_of_thought"),
)
_CALLS = {**dict.fromkeys(_ONE_CALL, 1), **dict.fromkeys(_NO_CALL, 0)}


def solver_names(task: Task) -> list[str]:
    """The names of the steps that answer a sample; empty for a step that has none."""
    return [_name(step) for step in (*steps_of(task.setup), *steps_of(task.solver))]


def calls_known(task: Task) -> int | None:
    """How many calls of the model a sample takes; null where its steps do not tell."""
    found = [_CALLS.get(name) for name in solver_names(task)]
    scores = [_name(scorer) for scorer in task.scorer or []]
    if None in found or any(not _is_of_inspect(name) for name in scores):
        return None
    return sum(calls or 0 for calls in found)


def _is_of_inspect(scorer: str) -> bool:
    """Whether a scorer is one of inspect_ai that asks no model."""
    return scorer in {"match", "includes", "pattern", "answer", "choice", "exact", "f1", "math"}


def steps_of(solver: Any) -> Iterator[Any]:
    """The steps of a solver, those of chains one by one."""
    if solver is None:
        return
    for step in solver if isinstance(solver, Sequence) else [solver]:
        yield from steps_of(step) if isinstance(step, Sequence) else [step]


def _name(step: Any) -> str:
    try:
        name = registry_info(step).name
    except (ValueError, AttributeError):
        return ""
    # Of another package, a name says nothing.
    return name.removeprefix("inspect_ai/")
