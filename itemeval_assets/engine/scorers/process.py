"""Grades by code of others: a process each, which is watched and begun anew when it ends."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import FAILED, LATE, Program
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.host.processes import end_process, how_it_ended, start_python

from .results import Result
from .worker import OUT_OF_MEMORY, not_loaded_within

_WORKER = "itemeval_assets.engine.scorers.worker"
# A package that a file imports may take so long from a slow disk.
LOAD_S = 30.0
# Of a process that cannot even say where it stands.
_SILENCE_S = 30.0
# How long the end of a process may go unseen where a child of it keeps the pipe open.
_TICK_S = 0.5
_CHUNK = 500
_CHUNK_CHARACTERS = 1_000_000
_READ_BYTES = 1 << 16
# Programs that this process has seen load.
_sound: set[str] = set()


class Answer(NamedTuple):
    """What a scorer is given: texts, and the metadata of the item as a JSON object."""

    solution: str
    target: str
    metadata_json: str


def require_loadable(programs: Sequence[Program]) -> None:
    """Load each program once. Raises ConfigError with all that cannot be loaded."""
    problems = []
    for program in programs:
        mark = program.to_json()
        if mark in _sound:
            continue
        try:
            with _started(program):
                _sound.add(mark)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


def verdicts(program: Program, answers: Sequence[Answer]) -> Iterator[Verdict]:
    """A verdict for each answer, in their order, as soon as it is there.

    Codes: `scorer_error`, `scorer_timeout`, `scorer_not_finite`, `scorer_not_numeric`; the message
    is in `reasoning`. Raises ConfigError where the program cannot be loaded at all.
    """
    done = 0
    while done < len(answers):
        try:
            with _started(program) as process:
                for verdict in process.grade(answers[done:]):
                    done += 1
                    yield verdict
        except ConfigError as error:
            if not done:
                raise
            yield from [_failed(str(error))] * (len(answers) - done)
            return


@contextmanager
def _started(program: Program) -> Iterator["_Process"]:
    process = _Process(program)
    try:
        process.wait_until_loaded()
        yield process
    finally:
        process.end()


class _Late(Exception):
    """Nothing was said in time."""


class _Gone(Exception):
    """The process has ended."""


class _Process:
    """A process of the worker, and what it has said."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._load_s = max(LOAD_S, program.timeout_s)
        self._file = f" ({program.source.path})" if program.source.path else ""
        self._process = start_python(
            _WORKER,
            str(self._load_s),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._inbox, self._outbox = self._process.stdin, self._process.stdout
        self._said: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._lines: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(program.to_json())

    def wait_until_loaded(self) -> None:
        """Raises ConfigError where it cannot be loaded."""
        try:
            problem = json.loads(self._line(self._load_s + _SILENCE_S))["problem"]
        except _Late:
            problem = self._program.cannot_load(not_loaded_within(self._load_s, self._file))
        except _Gone:
            problem = self._program.cannot_load(f"its process ended with {self._how()}{self._file}")
        if problem is not None:
            raise ConfigError(problem)

    def grade(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Verdicts of the first answers: of all, or up to the one that ended the process."""
        is_new = True
        for chunk in _chunks(answers):
            self._send(json.dumps(chunk))
            for _ in chunk:
                try:
                    result = _parsed(self._line(self._program.timeout_s))
                except _Late:
                    limit = f"no score within timeout_s = {self._program.timeout_s:g}"
                    yield Verdict.failed(LATE, reasoning=limit)
                    return
                except _Gone:
                    yield _failed(f"its process ended with {self._how()}")
                    return
                if result[1] == OUT_OF_MEMORY:
                    # What earlier answers have left behind counts, too: a new process decides.
                    if is_new:
                        yield _failed(f"memory_mb = {self._program.memory_mb} is used up")
                    return
                is_new = False
                yield _verdict(*result)

    def end(self) -> None:
        """End it, and all that it has started."""
        end_process(self._process)
        with suppress(OSError):
            self._inbox.close()

    def _send(self, line: str) -> None:
        # Who is gone is seen at the next look.
        with suppress(OSError):
            self._inbox.write(line.encode() + b"\n")
            self._inbox.flush()

    def _listen(self) -> None:
        rest = b""
        while data := os.read(self._outbox.fileno(), _READ_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            if lines:
                self._said.put(lines)
        self._said.put(None)

    def _line(self, within_s: float) -> bytes:
        """The next line. Raises _Late where none comes in time, _Gone where none will come."""
        until = time.monotonic() + within_s
        while not self._lines:
            # Before its words are read: the last ones count.
            is_gone = self._process.poll() is not None
            left = until - time.monotonic()
            try:
                said = self._said.get(timeout=max(0.0, min(left, _TICK_S)))
            except queue.Empty:
                if is_gone:
                    raise _Gone from None
                if left <= 0:
                    raise _Late from None
                continue
            if said is None:
                raise _Gone
            self._lines = said[::-1]
        return self._lines.pop()

    def _how(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_TICK_S)
        code = self._process.returncode
        return "a closed pipe" if code is None else how_it_ended(code)


def _chunks(answers: Sequence[Answer]) -> Iterator[Sequence[Answer]]:
    """Answers in groups of some size, so that not all of them are sent at once."""
    chunk: list[Answer] = []
    characters = 0
    for answer in answers:
        chunk.append(answer)
        characters += sum(map(len, answer))
        if len(chunk) == _CHUNK or characters > _CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _parsed(line: bytes) -> list[Any]:
    """The fields of a result; a failure for what the worker does not write."""
    with suppress(ValueError, RecursionError):
        result = json.loads(line)
        if isinstance(result, list) and len(result) == len(Result._fields):
            return result
    return [*Result(None, FAILED, None, "its code writes where the study listens")]


def _verdict(score: float | None, code: str | None, raw: str | None, told: str | None) -> Verdict:
    told = told and without_secrets(told, os.environ)
    if score is None:
        return Verdict.failed(code or FAILED, raw, told)
    return Verdict.scored(score, raw or "", told)


def _failed(message: str) -> Verdict:
    return Verdict.failed(FAILED, reasoning=message)
