"""Several processes for one command: each makes Dagster runs over its share of the partitions."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import IO, Any

from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError, NotOffered, RunFailed
from itemeval_assets.core.records.failures import FailedCheck
from itemeval_assets.engine.calls.progress import Listener, Progress
from itemeval_assets.host.processes import can_share_files, end_process, start_with_channel

END_S = 60.0
# Answers on their way have three seconds.
END_NOW_S = 5.0
SUMMED = ("total", "done", "errored", "retries", "usd", "in_flight")


@dataclass(frozen=True)
class Share:
    """What one worker runs: tables over spans of partition keys, one Dagster run per span.

    `consent_usd`: what all its runs together may cost. `connections`: {provider: how many of its
    calls may be in flight}, where the study limits them.
    """

    tables: Sequence[str]
    spans: Sequence[tuple[str, str]]
    config: Mapping[str, Any]
    consent_usd: float
    reserved_by: str
    connections: Mapping[str, int]


@dataclass(frozen=True)
class Ended:
    """What became of a share; `error`: what ended it early."""

    run_ids: list[str]
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    error: ItemevalAssetsError | None = None


@dataclass
class _Worker:
    """A process, and the thread that sends it its study once it has loaded its packages."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection[Any, Any]"
    briefing: threading.Thread


class Workers:
    """The processes of one command, started at once and used for one stage after the other."""

    def __init__(
        self, study: Study, count: int, listener: Listener | None, notes: IO[bytes]
    ) -> None:
        self.count = count
        self._listener = listener
        self._notes = notes
        self._given = 0
        self._workers = [self._start(study) for _ in range(count)]

    @classmethod
    @contextmanager
    def open(cls, study: Study, count: int, listener: Listener | None) -> Iterator["Workers"]:
        if not can_share_files():
            raise NotOffered.on_windows("several workers", "use one")
        with tempfile.TemporaryFile() as notes:
            workers = cls(study, count, listener, notes)
            try:
                yield workers
            finally:
                workers.end()

    def __call__(self, shares: Sequence[Share]) -> list[Ended]:
        """Run the shares at once, a worker each; what became of each. Raises RunFailed for a
        worker that died.
        """
        self._given = max(self._given, len(shares))
        for worker, share in zip(self._workers, shares, strict=False):
            worker.briefing.join()
            _send(worker.connection, share)
        ended: dict[int, Ended] = {}
        # Every Dagster run of every worker counts from nothing: {(worker, begun): its counts}.
        counts: dict[tuple[int, float], Progress] = {}
        together: Progress | None = None
        while len(ended) < len(shares):
            for number, told in self._told():
                if isinstance(told, Ended):
                    ended[number] = told
                else:
                    counts[number, told.started] = told
                    together = self._tell(list(counts.values()), together)
        return [ended[number] for number in range(len(shares))]

    def end(self) -> None:
        """Let the workers go: their calls stop, they keep what was answered, and end."""
        for worker in self._workers[self._given :]:
            worker.process.terminate()  # one that was given nothing has nothing to keep
        for worker in self._workers:
            worker.briefing.join()
            worker.connection.close()
        try:
            self._wait(END_S)
        except BaseException:  # interrupted once more: who does not end now hangs
            self._wait(END_NOW_S)
            raise

    def _wait(self, within_s: float) -> None:
        """Wait so long for the ends of all, then kill who is left."""
        until_s = time.monotonic() + within_s
        for worker in self._workers:
            end_process(worker.process, max(0.0, until_s - time.monotonic()))

    def _start(self, study: Study) -> _Worker:
        process, connection = start_with_channel(
            "itemeval_assets.runs.launching.worker",
            stdin=subprocess.DEVNULL,
            stdout=self._notes,
            stderr=self._notes,
        )
        briefing = threading.Thread(target=_send, args=(connection, study.snapshot), daemon=True)
        briefing.start()
        return _Worker(process, connection, briefing)

    def _told(self) -> Iterator[tuple[int, Progress | Ended]]:
        """What workers have to say now. Raises RunFailed for one that has ended."""
        speaking = wait([worker.connection for worker in self._workers])
        for number, worker in enumerate(self._workers):
            if worker.connection not in speaking:
                continue
            try:
                yield number, worker.connection.recv()
            except (EOFError, ConnectionError):
                code = worker.process.wait()
                raise RunFailed(
                    f"worker {number + 1} ended with exit code {code}. Finished calls are kept, "
                    f"the next run continues from there.\n{self._last_words()}"
                ) from None

    def _tell(self, parts: list[Progress], together: Progress | None) -> Progress | None:
        """One progress for all: the sum of those of the workers. The same object for a stage."""
        if self._listener is None:
            return None
        together = together or Progress(parts[0].stage, 0)
        for name in SUMMED:
            setattr(together, name, sum(getattr(part, name) for part in parts))
        for name in ("waiting", "waits_for"):
            setattr(together, name, next(filter(None, (getattr(p, name) for p in parts)), ""))
        together.oldest_s = max(part.oldest_s for part in parts)
        self._listener(together)
        return together

    def _last_words(self) -> str:
        self._notes.seek(0)
        return self._notes.read().decode(errors="replace")[-600:].strip()


def _send(connection: "Connection[Any, Any]", what: Share | Snapshot) -> None:
    with suppress(ConnectionError):  # a worker that is gone has said so
        connection.send(what)
