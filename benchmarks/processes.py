"""Measures programs as whole processes: seconds from start to end, and peak memory."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Measured", "measure", "python"]


class Measured(NamedTuple):
    """`peak_mb`: the most memory of the process and those it waited for."""

    seconds: float
    peak_mb: float
    output: str


def measure(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        raise subprocess.CalledProcessError(done.returncode, command)
    # The kernel keeps the most of all children so far: a smaller one after it is not seen.
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return Measured(seconds, peak / 1024, done.stdout)


def python(program: str, *arguments: object) -> list[str]:
    """The command that runs a program of this package's environment."""
    return [sys.executable, "-c", program, *map(str, arguments)]
