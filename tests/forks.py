"""Processes forked from one that has loaded packages: a new interpreter loads them for seconds."""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from tests.fork_server import NUMBER, place

__all__ = ["Forked", "start_forked"]

ROOT = Path(__file__).parents[1]
START_S = 240.0
# Of a terminal.
SIZE = {"COLUMNS", "LINES"}


class Forked:
    """A process that runs a program, with those methods of `subprocess.Popen` that are needed.

    `program`: `module:function`, which finds its arguments in `sys.argv`, or the path of a script.
    `files`: which of our files it has under which number; 0, 1 and 2 are among them.
    """

    def __init__(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        files: Mapping[int, int],
        environment: Mapping[str, str],
        folder: Path | None = None,
        in_background: bool = False,
        own_session: bool = False,
    ) -> None:
        asked = {
            "program": program,
            "arguments": [*arguments],
            "environment": {**environment, "TESTS_FOLDER": os.environ["TESTS_FOLDER"]},
            "folder": str(folder or Path.cwd()),
            "path": [folder for folder in sys.path if isinstance(folder, str)],
            "files": [*files],
            "in_background": in_background,
            "own_session": own_session,
        }
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        _stay_connected()
        self._server = _connected()
        text = json.dumps(asked).encode()
        socket.send_fds(self._server, [NUMBER.pack(len(text))], [*files.values()])
        self._server.sendall(text)
        self.pid = self._told()

    def poll(self) -> int | None:
        """The exit code, or None while it runs; that of a signal is negative."""
        return self._ended_within(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            self._server.settimeout(seconds)
            with suppress(TimeoutError, BlockingIOError):
                self.returncode = self._told()
                self._server.close()
        return self.returncode

    def _told(self) -> int:
        data = self._server.recv(NUMBER.size)
        assert data, f"the server of forks has ended:\n{_log().read_text()}"
        return NUMBER.unpack(data)[0]


def start_forked(
    module: str,
    *arguments: str,
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Forked:
    """What `start_python` of `itemeval_assets.host.processes` does, with a fork."""
    files = {number: number for number in pass_fds}
    ours: dict[int, int] = {}
    with ExitStack() as ends:
        for number, given in enumerate((stdin, stdout, stderr)):
            if given == subprocess.PIPE:
                reader, writer = os.pipe()
                files[number], ours[number] = (reader, writer) if number == 0 else (writer, reader)
                ends.callback(os.close, files[number])
            elif given == subprocess.DEVNULL:
                files[number] = os.open(os.devnull, os.O_RDWR)
                ends.callback(os.close, files[number])
            else:
                files[number] = number if given is None else given.fileno()
        process = Forked(
            f"{__name__}:call_main",
            [module, *arguments],
            files=files,
            environment=env or os.environ,
            own_session=True,
        )
    process.stdin = os.fdopen(ours[0], "wb") if 0 in ours else None
    process.stdout = os.fdopen(ours[1], "rb") if 1 in ours else None
    return process


def call_main() -> None:
    """What the interpreter that `start_python` starts does."""
    _, module, *arguments = sys.argv
    importlib.import_module(module).main(*arguments)


@cache
def _stay_connected() -> socket.socket:
    """The server stays as long as this process."""
    return _connected()


def _connected() -> socket.socket:
    """A connection to the server, which the first to ask starts."""
    connection = socket.socket(socket.AF_UNIX)
    with FileLock(f"{place()}.lock"):
        try:
            connection.connect(str(place()))
        except OSError:
            place().unlink(missing_ok=True)
            _start_server()
            connection.connect(str(place()))
    return connection


def _start_server() -> None:
    command = [sys.executable, "-m", "tests.fork_server"]
    with _log().open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            # A console keeps the size that it reads when it is made.
            env={name: text for name, text in os.environ.items() if name not in SIZE},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while not place().exists():
        assert server.poll() is None and time.monotonic() < deadline, _log().read_text()
        time.sleep(0.01)


def _log() -> Path:
    return place().with_suffix(".log")
