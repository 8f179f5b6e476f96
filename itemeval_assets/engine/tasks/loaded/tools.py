"""Tools of a task that inspect_ai cannot offer to a model, for want of a docstring.

It says so only where a sample runs, once for each of them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from inspect_ai import Task
from inspect_ai.tool import ToolDef
from inspect_ai.util import registry_info

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.engine.calls.hopeless import DESCRIBE_IT, undescribed_tool

from .solvers import steps_of


def require_described(task: Task, word: str) -> None:
    """Raise ConfigError for the first tool without a docstring that a solver of inspect_ai offers.

    What a solver of others does with its tools, only its samples tell. `word`: the task, as the
    YAML names it.
    """
    for step in (*steps_of(task.setup), *steps_of(task.solver)):
        for tool in _tools_of(step):
            try:
                ToolDef(tool)
            except ValueError as error:
                if name := undescribed_tool(str(error)):
                    told = str(error).removesuffix(".")
                    raise ConfigError(
                        f"benchmark.task: {word!r} cannot offer its tool {name!r}: {told}; "
                        f"{DESCRIBE_IT}"
                    ) from None


def _tools_of(step: Any) -> Iterator[Any]:
    """The tools that `use_tools` holds, or an agent of inspect_ai, such as `react`."""
    held = _held_by(step)
    while "agent" in held:
        held = _held_by(held["agent"])
    for one in held.get("tools") or ():
        for tool in one if isinstance(one, Sequence) else [one]:
            if _kind(tool) == "tool":
                yield tool


def _held_by(step: Any) -> dict[str, Any]:
    """{name: value} of what a step of inspect_ai was called with; of other steps none."""
    code = getattr(step, "__code__", None)
    if code is None or not step.__module__.startswith("inspect_ai."):
        return {}
    return {
        name: cell.cell_contents
        for name, cell in zip(code.co_freevars, step.__closure__ or (), strict=True)
    }


def _kind(one: Any) -> str | None:
    try:
        return registry_info(one).type
    except (ValueError, AttributeError):
        return None
