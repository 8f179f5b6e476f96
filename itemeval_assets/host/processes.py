"""Processes of Python that this one starts, and ends."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

__all__ = ["end_process", "start_python"]

_BOOT = (
    "import importlib, json, sys; _, path, module, *arguments = sys.argv; "
    "sys.path[:] = json.loads(path); importlib.import_module(module).main(*arguments)"
)


def start_python(module: str, *arguments: str, **options: Any) -> "subprocess.Popen[Any]":
    """Call `main(*arguments)` of a module in a process that finds the modules that this one finds.

    `options` are those of Popen. Ctrl-C is not for it, but for this process, which ends it.
    """
    # What is no text in a path, Python passes over.
    path = json.dumps([place for place in sys.path if isinstance(place, str)])
    command = [sys.executable, "-c", _BOOT, path, module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def end_process(process: "subprocess.Popen[Any]", within_s: float = 0.0) -> None:
    """Wait so long for the end of a process, then kill it, and all that it has started."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
