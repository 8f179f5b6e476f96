"""The server of forks: a process that has loaded packages, and forks itself for each program.

All workers of a session of tests share it. It ends when nobody is connected to it any more.
"""

import atexit
import fcntl
import importlib
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import struct
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["NUMBER", "place"]

NUMBER = struct.Struct("i")
# Above what a process usually opens.
FREE, MOST_FILES = 200, 16

Asked = dict[str, Any]


def place() -> Path:
    """The socket of the server."""
    return Path(os.environ["TESTS_FOLDER"]) / "forks"


def main() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        draft = place().with_suffix(".draft")
        draft.unlink(missing_ok=True)
        listener.bind(str(draft))
        listener.listen(128)
        draft.rename(place())
        # Who connects meanwhile waits.
        importlib.import_module("tests.loaded")
        asked = serve(listener)
    if asked is None:
        place().unlink()
    else:
        end(run(asked))


def serve(listener: socket.socket) -> Asked | None:
    """In each forked process what it was asked for; in this one None, when all clients are gone.

    A client is told the process id, and later the exit code.
    """
    selector, clients = selectors.DefaultSelector(), {}
    ends = _ends_of_children()
    for source in (listener, ends):
        selector.register(source, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            source: Any = key.fileobj
            if source is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
            elif source is ends:
                ends.recv(1024)
                _tell_of_ends(clients)
            elif asked := _asked_by(source):
                if pid := os.fork():
                    for file in asked["given"]:
                        os.close(file)
                    clients[pid] = source
                    continue
                if asked["own_session"]:
                    os.setsid()
                _tell(source, os.getpid())
                _close_all(selector)
                return asked
            else:
                selector.unregister(source)
                source.close()
                if len(selector.get_map()) == 2:
                    return None


def _ends_of_children() -> socket.socket:
    """Has something to read after a child has ended."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer.detach())
    return reader


def _tell_of_ends(clients: dict[int, socket.socket]) -> None:
    for pid in list(clients):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _tell(clients.pop(pid), os.waitstatus_to_exitcode(status))


def _tell(client: socket.socket, number: int) -> None:
    # Who has ended need not be told.
    with suppress(OSError):
        client.sendall(NUMBER.pack(number))


def _asked_by(client: socket.socket) -> Asked | None:
    """What a client asks for, with the numbers of the files that it has given; None: it is gone."""
    try:
        size, given, _, _ = socket.recv_fds(client, NUMBER.size, MOST_FILES)
    except ConnectionError:
        return None
    if not size:
        return None
    text = client.recv(NUMBER.unpack(size)[0], socket.MSG_WAITALL)
    return {**json.loads(text), "given": given}


def _close_all(selector: selectors.BaseSelector) -> None:
    """Leave the server, in a child of it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()


def run(asked: Asked) -> int:
    """Do what an interpreter does that is started for a program; its exit code."""
    _prepare(asked)
    try:
        _call(asked["program"])
    except SystemExit as wanted:
        if isinstance(wanted.code, str):
            sys.stderr.write(f"{wanted.code}\n")
            return 1
        return wanted.code or 0
    except BaseException as error:
        sys.last_type, sys.last_value, sys.last_traceback = sys.exc_info()
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def end(code: int) -> None:
    """End this process. Libraries in C++ that were forked cannot end as they would like to."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if code == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def _prepare(asked: Asked) -> None:
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    tempfile.tempdir = None
    random.seed()
    _take(asked["given"], asked["files"])
    in_background = asked["in_background"]
    signal.signal(signal.SIGINT, signal.SIG_IGN if in_background else signal.default_int_handler)
    sys.argv = [asked["program"], *asked["arguments"]]
    sys.path[:] = asked["path"]


def _call(program: str) -> None:
    """A function, or a script."""
    if not program.endswith(".py"):
        pkgutil.resolve_name(program)()
        return
    sys.path.insert(0, str(Path(program).parent))
    script = sys.modules["__main__"] = ModuleType("__main__")
    script.__file__ = program
    exec(compile(Path(program).read_text(), program, "exec"), script.__dict__)


def _take(given: list[int], wanted: list[int]) -> None:
    """Have these files under the numbers that are wanted, and no others."""
    free = max(FREE, *wanted) + 1
    apart = [fcntl.fcntl(file, fcntl.F_DUPFD, free) for file in given]
    for file in given:
        os.close(file)
    for file, number in zip(apart, wanted, strict=True):
        os.dup2(file, number)
        os.close(file)


if __name__ == "__main__":
    main()
