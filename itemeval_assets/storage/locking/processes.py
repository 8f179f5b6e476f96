"""Which process of which machine something belongs to, and whether it is still there."""

import hashlib
import os
import socket
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil


def this_process() -> str:
    """A name for this process that no other one has, here or elsewhere, now or later."""
    return _process(os.getpid())


def is_gone(process: str) -> bool:
    """Whether a process of this machine has ended. Of other machines nobody can say."""
    machine, _, rest = process.partition(":")
    if machine != _machine():
        return False
    return process != _process(int(rest.partition(":")[0]))


def _process(pid: int) -> str:
    # A number is used again, but not with the same start.
    try:
        return f"{_machine()}:{pid}:{psutil.Process(pid).create_time()}"
    except psutil.NoSuchProcess:
        return ""


@cache
def _machine() -> str:
    """Where process numbers mean the same: many machines are called localhost, and containers
    of one machine count their processes each by itself."""
    facts = [socket.gethostname(), str(uuid.getnode())]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]
    return f"{socket.gethostname()}-{digest}"
