"""Solvers and scorers of a task that are functions which nobody called: inspect_ai cannot run them.

inspect_ai says so only once an eval has begun, in words about its own registry.
"""

from collections.abc import Iterator
from inspect import isfunction
from typing import Any

from inspect_ai import Task
from inspect_ai._util.registry import has_registry_params
from inspect_ai.util import registry_info

from itemeval_assets.core.errors import ConfigError

from .solvers import steps_of


def require_called(task: Task, word: str) -> None:
    """Raise ConfigError for the first solver or scorer that is not called, or is a plain function.

    `word`: the task as the YAML names it.
    """
    for kind, part in _parts(task):
        if isfunction(part) and not has_registry_params(part):
            raise ConfigError(f"benchmark.task: the {kind} of {word!r} {_why(kind, part)}")


def _parts(task: Task) -> Iterator[tuple[str, Any]]:
    yield from (("solver", step) for step in (*steps_of(task.setup), *steps_of(task.solver)))
    yield from (("scorer", scorer) for scorer in task.scorer or [])


def _why(kind: str, part: Any) -> str:
    try:
        name = registry_info(part).name.rpartition("/")[2]
    except ValueError:
        return (
            f"is the plain function {part.__name__!r}: return it from a function with the "
            f"decorator @{kind}, and call that one"
        )
    return f"is not called: write {name}()"
