"""Whether this machine has the sandbox that the samples of a task run in: asked before any call."""

import os

from inspect_ai import Task
from inspect_ai._util._async import run_coroutine
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.util._sandbox.docker.prereqs import validate_prereqs
from inspect_ai.util._sandbox.registry import registry_find_sandboxenv

from itemeval_assets.core.text.secrets import without_secrets

_DOCKER = "docker"


def sandbox_of(task: Task) -> str | None:
    """The type of the sandbox of a task, or of the first of its samples that has one."""
    found = (one.sandbox for one in (task, *task.dataset) if one.sandbox)
    return next((sandbox.type for sandbox in found), None)


def why_no_sandbox(sandbox: str | None, word: str) -> str | None:
    """Why a sandbox cannot be used on this machine, in words; null: it can, or there is none.

    `word`: the task as the YAML names it.
    """
    why = _why_missing(sandbox) if sandbox else None
    return why and f"benchmark.task: {word!r} runs in the sandbox {sandbox!r}: {why}"


def _why_missing(sandbox: str) -> str | None:
    try:
        registry_find_sandboxenv(sandbox)
    except ValueError:
        return (
            "no installed package has a sandbox of this name; install the package that has it, "
            "or correct the name in the task"
        )
    return _why_no_docker() if sandbox == _DOCKER else None


def _why_no_docker() -> str | None:
    try:
        run_coroutine(validate_prereqs())
    except PrerequisiteError as error:
        found = without_secrets(str(error.message).strip(), os.environ).splitlines()
        return (
            f"Docker does not answer on this machine ({found[-1]}). Install it "
            "(https://docs.docker.com/engine/install/) and start it, or run the study on a machine "
            "that has it"
        )
    return None
