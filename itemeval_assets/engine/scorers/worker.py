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
from typing import IO

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import FAILED, Program
from itemeval_assets.host.limits import limit_memory

from .loading import Scoring, load
from .results import Result, failure_of, result_of

# Tells that the process is full, and ends: what earlier answers have left in it counts, too.
OUT_OF_MEMORY = "out of memory"
_MEGABYTE = 1_000_000


def main() -> None:
    """Read a program, say whether it can be loaded, then answer chunks of answers."""
    inbox, outbox = _own_pipes()
    program = Program.from_json(inbox.readline())
    try:
        scoring = load(program)
    except ConfigError as problem:
        _write(outbox, json.dumps({"problem": str(problem)}).encode() + b"\n")
        return
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
