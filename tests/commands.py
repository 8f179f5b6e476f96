"""Programs in processes of their own, forked from one that has loaded packages.

What races, stops or dies does so in a fork as well. What happens while packages load is in
`tests/faults/test_early_signals.py`.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.forks import Forked

__all__ = [
    "PATIENCE_S",
    "PROCESSES",
    "Command",
    "Program",
    "processes_in",
    "run_script",
    "wait_until",
]

PATIENCE_S = 240.0
NOWHERE = Path(os.devnull)

# For what shares events and queues, and loads little.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.storage.writers"])


class Program(Forked):
    """A console script, `module:function`, or the path of a script, in a process of its own.

    What it prints goes to the file `output`, and what it says of errors to `errors`, or there too.
    `environment`: in place of what this process has; None: not at all.
    `in_background`: as a script starts it with `&`, where Ctrl-C is ignored.
    """

    def __init__(
        self,
        script: str | Path,
        *arguments: str | Path,
        output: Path = NOWHERE,
        errors: Path | None = None,
        environment: Mapping[str, str | None] | None = None,
        folder: Path | None = None,
        in_background: bool = False,
    ) -> None:
        given = {**os.environ, **(environment or {})}
        self.output, self.errors = output, errors or output
        with NOWHERE.open() as stdin, output.open("ab") as out, self.errors.open("ab") as said:
            super().__init__(
                str(script),
                [str(argument) for argument in arguments],
                files=dict(enumerate(file.fileno() for file in (stdin, out, said))),
                environment={name: value for name, value in given.items() if value is not None},
                folder=folder,
                in_background=in_background,
            )

    def wait(self, timeout: float | None = PATIENCE_S) -> int:
        return super().wait(timeout)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until this is so, while the command runs."""

        def holds() -> bool:
            assert self.poll() is None, self.output.read_text()[-2000:]
            return condition()

        wait_until(holds)


class Command(Program):
    """`itemeval-assets <arguments>`."""

    def __init__(self, *arguments: str | Path, **options: Any) -> None:
        super().__init__("itemeval_assets.cli.entry:main", *arguments, **options)


def run_script(script: Path, *arguments: str | Path, **options: Any) -> tuple[int, str, str]:
    """The exit code of a script, what it prints, and what it says of errors."""
    output, errors = script.with_suffix(".out"), script.with_suffix(".err")
    for file in (output, errors):
        file.unlink(missing_ok=True)
    code = Program(script, *arguments, output=output, errors=errors, **options).wait()
    return code, output.read_text(), errors.read_text()


def processes_in(folder: Path, but: int | None = None) -> list[psutil.Process]:
    """The processes that work in a folder, but for this one: those that were started in it."""
    return [
        process
        for process in psutil.process_iter(["cwd"])
        if process.info["cwd"] == str(folder) and process.pid not in (os.getpid(), but)
    ]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.01)
