"""Warm processes that run specs, one at a time each: what a spec does to its own harms no other.

Pools of libraries start their processes by importing the user's script again, which runs it again
where it has no main guard; and they do not say which call ended a process. Here the parent knows
which spec each process works on, and ends the process that takes too long.
"""

import os
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from pydantic import ByteSize

from itemeval_assets.core.errors import ConfigError, NotOffered
from itemeval_assets.experiments.outputs.outcomes import Failure, Outcome
from itemeval_assets.experiments.spec.limits import Limits
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import encode_specs
from itemeval_assets.experiments.work.run_spec import failed
from itemeval_assets.host.processes import (
    can_share_files,
    end_process,
    how_it_ended,
    start_with_channel,
)

from .worker import Setup, Unready

# How long a stop, the end of a process or the end of its time may go unseen.
_TICK_S = 0.1
_END_S = 2.0
_WORKER = "itemeval_assets.experiments.work.workers.worker"


@dataclass
class _Try:
    """A spec, how often it has been tried before, and whether another process had it first."""

    spec: ExperimentInputSpec
    earlier: int = 0
    is_moved: bool = False


@dataclass
class _Worker:
    """A process, and the spec it works on: none while it loads, or waits."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection[Any, Any]"
    is_ready: bool = False
    at_work: _Try | None = None
    since: float = 0.0
    n_done: int = 0
    is_gone: bool = False

    def give(self, task: _Try) -> None:
        self.at_work, self.since = task, time.monotonic()
        # Who is gone is seen at the next look.
        with suppress(OSError):
            self.connection.send_bytes(encode_specs([task.spec]))

    def hear(self) -> Any | None:
        """What the process has said, if anything; who is gone has nothing more to say."""
        try:
            # Before its words are read: the last ones count.
            is_gone = self.process.poll() is not None
            told = self.connection.recv() if self.connection.poll() else None
        except Exception:  # no message of ours: it has ended, or a spec writes where it should not
            is_gone, told = True, None
        self.is_gone = is_gone and told is None
        return told

    def kill(self) -> None:
        """End the process and all that it has started."""
        end_process(self.process)
        self.connection.close()


@dataclass
class WorkerPool:
    """At most `size` processes for the specs of one run; they stay until `close`."""

    setup: Setup
    size: int
    limits: Limits
    _workers: list[_Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not can_share_files():
            raise NotOffered.on_windows("several processes, and limits of a spec", "use workers=1")
        self._folder = tempfile.TemporaryDirectory(
            prefix="itemeval_assets_specs_", ignore_cleanup_errors=True
        )
        # Its write end is this process's alone: a worker that reads its end knows that we are gone.
        self._life = os.pipe()

    def outcomes(
        self, specs: Sequence[ExperimentInputSpec], check: Callable[[], None]
    ) -> Generator[Outcome, None, None]:
        """One outcome for each spec, as they come. `check` may raise; then all work ends at once.

        Raises ConfigError when the processes cannot begin.
        """
        waiting = deque(_Try(spec) for spec in specs)
        try:
            while waiting or self._at_work():
                check()
                self._give(waiting)
                wait([worker.connection for worker in self._workers], _TICK_S)
                for worker in list(self._workers):
                    yield from self._look_after(worker, waiting)
        finally:
            for worker in self._at_work():
                self._dismiss(worker)

    def close(self) -> None:
        """End all processes, and remove their files."""
        for worker in self._workers:
            worker.connection.close()
        until = time.monotonic() + _END_S
        for worker in self._workers:
            end_process(worker.process, max(0.0, until - time.monotonic()))
        self._workers.clear()
        for end in self._life:
            os.close(end)
        self._folder.cleanup()

    def _at_work(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.at_work is not None]

    def _give(self, waiting: deque[_Try]) -> None:
        """Give out specs, and start the processes that are missing for those that wait."""
        for worker in self._workers:
            if waiting and worker.is_ready and worker.at_work is None:
                worker.give(waiting.popleft())
        loading = sum(not worker.is_ready for worker in self._workers)
        for _ in range(min(self.size - len(self._workers), len(waiting) - loading)):
            self._workers.append(self._hire())

    def _hire(self) -> _Worker:
        process, connection = start_with_channel(
            _WORKER,
            str(self._life[0]),
            self._folder.name,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": self._folder.name},
            pass_fds=(self._life[0],),
        )
        with suppress(OSError):
            connection.send(self.setup)
        return _Worker(process, connection)

    def _look_after(self, worker: _Worker, waiting: deque[_Try]) -> Iterator[Outcome]:
        """What has become of a worker's spec, if anything has."""
        told = worker.hear()
        if told is not None:
            yield from self._hear(worker, told, waiting)
        elif worker.is_gone:
            yield from self._bury(worker, waiting)
        elif worker.at_work and self._is_late(worker):
            task = worker.at_work
            self._dismiss(worker)
            why = f"not finished after timeout_s = {self.limits.timeout_s:g}; its process was ended"
            yield from self._ended(task, failed(task.spec, Failure("TimeoutError", why)), waiting)

    def _hear(self, worker: _Worker, told: Any, waiting: deque[_Try]) -> Iterator[Outcome]:
        task = worker.at_work
        if task is None:
            if isinstance(told, Unready):
                raise ConfigError(f"the processes for specs cannot start: {told.message}")
            worker.is_ready = True
            return
        outcome = failed(task.spec, told) if isinstance(told, Failure) else told
        if not isinstance(outcome, Outcome) or outcome.sort_index != task.spec.sort_index:
            # As from a child that an earlier spec has forked, and that works on in its place. This
            # one may have nothing to do with it, and is given to another process, once.
            if task.is_moved:
                yield from self._bury(worker, waiting)
            else:
                self._dismiss(worker)
                waiting.append(replace(task, is_moved=True))
            return
        worker.at_work = None
        worker.n_done += 1
        if not self._is_out_of_memory(outcome):
            yield from self._ended(task, outcome, waiting)
        elif worker.n_done == 1:
            yield from self._ended(task, self._told_of_memory(task, outcome), waiting)
        else:
            # What other specs have left behind in the process counts, too: a new one decides.
            self._dismiss(worker)
            waiting.append(task)

    def _bury(self, worker: _Worker, waiting: deque[_Try]) -> Iterator[Outcome]:
        task = worker.at_work
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(_END_S)
        self._dismiss(worker)
        how = how_it_ended(worker.process.returncode)
        if task is not None:
            failure = Failure("ProcessEnded", f"its process ended with {how}")
            yield from self._ended(task, failed(task.spec, failure), waiting)
        elif not worker.is_ready:
            raise ConfigError(
                f"the processes for specs cannot start: one ended with {how} while it loaded "
                f"{self.setup.origin}"
            )

    def _ended(self, task: _Try, outcome: Outcome, waiting: deque[_Try]) -> Iterator[Outcome]:
        if outcome.failure is not None and task.earlier < self.limits.retries:
            waiting.append(_Try(task.spec, task.earlier + 1))
        else:
            yield outcome

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.kill()

    def _is_late(self, worker: _Worker) -> bool:
        limit = self.limits.timeout_s
        return limit is not None and time.monotonic() - worker.since > limit

    def _told_of_memory(self, task: _Try, outcome: Outcome) -> Outcome:
        failure, limit = outcome.failure, self.limits.memory_bytes
        assert failure is not None and limit is not None
        said = f": {failure.message}" if failure.message else ""
        message = f"more than memory = {ByteSize(limit).human_readable(decimal=True)} was asked for"
        return failed(task.spec, replace(failure, message=f"{message}{said}"))

    def _is_out_of_memory(self, outcome: Outcome) -> bool:
        failure = outcome.failure
        is_limited = self.limits.memory_bytes is not None
        return is_limited and failure is not None and failure.error_type.endswith("MemoryError")
