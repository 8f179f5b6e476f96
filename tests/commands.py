"""Programs in processes of their own, forked from one that has loaded packages.

A new interpreter loads packages for six seconds. What races, stops or dies does so in a fork as
well. What happens while packages load is in `tests/faults/test_early_signals.py`.
"""

import atexit
import multiprocessing
import os
import pkgutil
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE_S", "PROCESSES", "Command", "Program", "wait_until"]

PATIENCE_S = 240.0
NOWHERE = Path(os.devnull)

# Of a module for all: the first process to start decides what the server of forks loads.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.loaded"])


class Program:
    """A console script, `module:function`, with the methods of `subprocess.Popen` that tests need.

    What it prints goes to the file `output`, and what it says of errors to `errors`, or there too.
    `in_background`: as a script starts it with `&`, where Ctrl-C is ignored.
    """

    def __init__(
        self,
        script: str,
        *arguments: str | Path,
        output: Path = NOWHERE,
        errors: Path | None = None,
        environment: Mapping[str, str] | None = None,
        in_background: bool = False,
    ) -> None:
        given = (
            script,
            [str(argument) for argument in arguments],
            {**os.environ, **(environment or {})},
            (str(output), str(errors or output)),
            in_background,
        )
        self._process = PROCESSES.Process(target=_main, args=given)
        self._process.start()
        self.output = output
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs; that of a signal is negative."""
        return self._process.exitcode

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; the exit code."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout_s)
        return code

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until this is so, while the command runs."""

        def holds() -> bool:
            assert self.poll() is None, self.output.read_text()[-2000:]
            return condition()

        wait_until(holds)

    def send_signal(self, signum: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self._process.kill()


class Command(Program):
    """`itemeval-assets <arguments>`."""

    def __init__(self, *arguments: str | Path, **options: Any) -> None:
        super().__init__("itemeval_assets.cli.entry:main", *arguments, **options)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.01)


def _main(
    script: str,
    arguments: list[str],
    environment: dict[str, str],
    outputs: tuple[str, str],
    in_background: bool,
) -> None:
    if in_background:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    for standard, output in enumerate(outputs, start=1):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), standard)
    sys.argv = [script, *arguments]
    try:
        pkgutil.resolve_name(script)()
    finally:
        # A process of multiprocessing ends without them.
        atexit._run_exitfuncs()
