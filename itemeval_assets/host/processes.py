"""Processes of Python that this one starts, and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

# Packages leave no garbage as they load: to look for it takes a fifth of the time.
_BOOT = (
    "import gc, importlib, json, sys; _, path, module, *arguments = sys.argv; "
    "sys.path[:] = json.loads(path); gc.disable(); loaded = importlib.import_module(module); "
    "gc.enable(); loaded.main(*arguments)"
)


def can_share_files() -> bool:
    """Whether a process can hand an open file on to one that it starts: Windows cannot."""
    return sys.platform != "win32"


def start_python(module: str, *arguments: str, **options: Any) -> "subprocess.Popen[Any]":
    """Call `main(*arguments)` of a module in a process that finds the modules that this one finds.

    `options` are those of Popen. Ctrl-C is not for it, but for this process, which ends it.
    """
    # What is no text in a path, Python passes over.
    path = json.dumps([place for place in sys.path if isinstance(place, str)])
    command = [sys.executable, "-c", _BOOT, path, module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def start_with_channel(
    module: str, *arguments: str, pass_fds: tuple[int, ...] = (), **options: Any
) -> "tuple[subprocess.Popen[Any], Connection[Any, Any]]":
    """As `start_python`, with a channel to the process: of `main` it is the first argument.

    For systems that `can_share_files`.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        channel = theirs.fileno()
        process = start_python(
            module, str(channel), *arguments, pass_fds=(channel, *pass_fds), **options
        )
    return process, Connection(ours.detach())


def own_end(channel: str) -> "Connection[Any, Any]":
    """The channel that `main` was given; processes that this one starts do not get it."""
    os.set_inheritable(int(channel), False)
    return Connection(int(channel))


def end_process(process: "subprocess.Popen[Any]", within_s: float = 0.0) -> None:
    """Wait so long for the end of a process, then kill it, and all that it has started."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:  # Windows
        process.kill()
    process.wait()


def how_it_ended(code: int) -> str:
    """Words for the exit code of a process."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}, as when memory is used up" if name == "SIGKILL" else name
