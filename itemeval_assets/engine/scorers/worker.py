"""The process in which code of others grades: one answer after the other, until nobody listens.

Standard input and output are those of the study. What the code prints or reads goes nowhere, and a
child that it forks has no say. It loads nothing of this package that it does not need.
"""

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import IO

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import FAILED, Program
from itemeval_assets.host.limits import limit_memory

from .loading import Scoring, load
from .results import Result, failure_of, place_in, result_of

# Tells that the process is full, and ends: what earlier answers have left in it counts, too.
OUT_OF_MEMORY = "out of memory"
_MEGABYTE = 1_000_000


def main(load_s: str) -> None:
    """Read a program, say whether it can be loaded so soon, then answer chunks of answers."""
    inbox, outbox = _own_pipes()
    program = Program.from_json(inbox.readline())
    late = threading.Timer(float(load_s), _tell_where_it_stands, (outbox, program, float(load_s)))
    late.daemon = True
    late.start()
    try:
        scoring = load(program)
    except ConfigError as problem:
        _tell_problem(outbox, str(problem))
        return
    finally:
        late.cancel()
    chunks: queue.SimpleQueue[list[list[str]]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(inbox, chunks), daemon=True).start()
    if sys.platform == "linux":
        limit_memory(program.memory_mb * _MEGABYTE)
    _write(outbox, b'{"problem": null}\n')
    own = os.getpid()
    while True:
        for answer in chunks.get():
            result = _graded(scoring, program.source.path, answer)
            if os.getpid() != own:
                os._exit(0)
            _write(outbox, result.line())
            if result.code == OUT_OF_MEMORY:
                os._exit(0)


def not_loaded_within(load_s: float, place: str = "") -> str:
    """Why a program cannot be loaded that is not loaded by now."""
    return (
        f"it is not loaded within {load_s:g} s{place}; move what takes long into the function, or "
        "raise timeout_s"
    )


def _tell_where_it_stands(outbox: int, program: Program, load_s: float) -> None:
    """Say which line of the file is not done, and end."""
    main = threading.main_thread().ident
    frames = traceback.extract_stack(sys._current_frames()[main]) if main else []
    place = place_in(frames, program.source.path)
    _tell_problem(outbox, program.cannot_load(not_loaded_within(load_s, place)))
    os._exit(0)


def _tell_problem(outbox: int, problem: str) -> None:
    _write(outbox, json.dumps({"problem": problem}).encode() + b"\n")


def _graded(scoring: Scoring, file: str, answer: list[str]) -> Result:
    solution, target, metadata = answer
    try:
        return result_of(scoring(solution, target, json.loads(metadata)))
    except MemoryError:
        return Result(None, OUT_OF_MEMORY)
    except BaseException as error:  # the code of others may raise anything, exit too
        try:
            return failure_of(error, file)
        except BaseException:
            return Result(None, FAILED)


def _own_pipes() -> tuple[IO[bytes], int]:
    """The pipes of the study, out of the way of who reads, prints, or starts processes."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return inbox, outbox


def _receive(inbox: IO[bytes], chunks: "queue.SimpleQueue[list[list[str]]]") -> None:
    """Take in chunks. When the study has ended, end all that was started here."""
    try:
        for line in inbox:
            chunks.put(json.loads(line))
    finally:
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(0)


def _write(outbox: int, line: bytes) -> None:
    while line:
        line = line[os.write(outbox, line) :]
