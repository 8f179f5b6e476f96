"""Code of a task that ends the program, or cancels itself: the error of its sample, and no more.

inspect_ai takes every `Exception` for the error of the sample at work. What is none ends the eval.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any

from inspect_ai import Task
from inspect_ai.model import _call_tools
from inspect_ai.solver import chain

from itemeval_assets.engine.scorers.results import message_of

Async = Callable[..., Awaitable[Any]]


class TaskExit(Exception):
    """Code of a task raised what ends the program."""

    def __init__(self, cause: BaseException) -> None:
        # inspect_ai keeps `message` as the error of the sample.
        self.message = f"the code of the task raised {message_of(cause)}"
        super().__init__(self.message)


def without_exits(task: Task) -> None:
    """Let what the solver, the scorers and the cleanup of a new task raise be errors."""
    task.setup = _solver(task.setup)
    task.solver = _solver(task.solver)
    task.scorer = [_guarded(scorer) for scorer in task.scorer] if task.scorer else task.scorer
    task.cleanup = _guarded(task.cleanup) if task.cleanup else None


@contextmanager
def tools_without_exits() -> Iterator[None]:
    """The same for tools in the block: each is called in an asyncio task of its own."""
    usual = _call_tools.call_tool
    _call_tools.call_tool = _guarded(usual)
    try:
        yield
    finally:
        _call_tools.call_tool = usual


def _solver(solver: Any) -> Any:
    """The solver with each of its steps guarded: its log names the steps."""
    if solver is None:
        return None
    if isinstance(solver, Sequence):
        return chain([_solver(step) for step in solver])
    if hasattr(solver, "steps"):  # a Plan
        found = copy(solver)
        found.steps = [_solver(step) for step in solver.steps]
        found.finish, found.cleanup = _solver(solver.finish), _solver(solver.cleanup)
        return found
    return _guarded(solver)


def _guarded(work: Async) -> Any:
    """`work`, with the name that inspect_ai has for it."""

    @wraps(work)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return await work(*args, **kwargs)
        except (Exception, KeyboardInterrupt, GeneratorExit):
            raise
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise TaskExit(error) from error
        except BaseException as error:
            raise TaskExit(error) from error

    return guarded


def _is_cancelled() -> bool:
    """Whether somebody has cancelled the asyncio task at work."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
