"""Several processes for one command: each makes Dagster runs over its share of the partitions."""

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import RunFailed, error_from
from itemeval_assets.core.records.failures import FailedCheck
from itemeval_assets.engine.calls.progress import Listener, Progress
from itemeval_assets.host.processes import end_process, start_python

__all__ = ["Ended", "Share", "Workers"]

END_S = 60.0
SUMMED = ("total", "done", "errored", "retries", "usd", "in_flight")


@dataclass(frozen=True)
class Share:
    """What one worker runs: tables over spans of partition keys, one Dagster run per span.

    `consent_usd`: what all its runs together may cost.
    """

    tables: Sequence[str]
    spans: Sequence[tuple[str, str]]
    config: Mapping[str, Any]
    consent_usd: float
    reserved_by: str


@dataclass(frozen=True)
class Ended:
    """What became of a share; `error`: class, message and facts of what ended it early."""

    run_ids: list[str]
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    error: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Ended":
        """From what a worker told of it."""
        failed = [
            FailedCheck(asset, check, tuple(partition), label)
            for asset, check, partition, label in told["failed_checks"]
        ]
        return cls(**{**told, "failed_checks": failed})

    def raised(self) -> Exception | None:
        """The error as the class it was raised as."""
        if self.error is None:
            return None
        return error_from(self.error["kind"], self.error["message"], self.error["facts"])


class Workers:
    """The processes of one command, started at once and used for one stage after the other."""

    def __init__(
        self, study: Study, count: int, listener: Listener | None, notes: IO[bytes]
    ) -> None:
        self.count = count
        self._listener = listener
        self._told: queue.Queue[tuple[int, dict[str, Any]]] = queue.Queue()
        self._notes = notes
        self._given = 0
        self._briefings: list[threading.Thread] = []
        self._processes = [self._start(study, number) for number in range(count)]

    @classmethod
    @contextmanager
    def open(cls, study: Study, count: int, listener: Listener | None) -> Iterator["Workers"]:
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
        for briefing, process, share in zip(self._briefings, self._processes, shares, strict=False):
            briefing.join()
            _write(process, json.dumps(asdict(share)) + "\n")
        ended: dict[int, Ended] = {}
        # Every Dagster run of every worker counts from nothing: {(worker, begun): its counts}.
        counts: dict[tuple[int, float], dict[str, Any]] = {}
        together: Progress | None = None
        while len(ended) < len(shares):
            number, message = self._told.get()
            if "ended" in message:
                ended[number] = Ended.from_json(message["ended"])
            elif "progress" in message:
                counts[number, message["progress"]["started"]] = message["progress"]
                together = self._tell(list(counts.values()), together)
            else:
                raise RunFailed(
                    f"worker {number + 1} ended with exit code {message['gone']}. Finished calls "
                    f"are kept, the next run goes on from there.\n{self._last_words()}"
                )
        return [ended[number] for number in range(len(shares))]

    def end(self) -> None:
        """Let the workers go: their calls stop, they keep what was answered, and end."""
        for process in self._processes[self._given :]:
            process.terminate()  # one that was given nothing has nothing to keep
        for process in self._processes:
            with suppress(BrokenPipeError):
                assert process.stdin is not None
                process.stdin.close()
        for process in self._processes:
            end_process(process, END_S)

    def _start(self, study: Study, number: int) -> "subprocess.Popen[str]":
        process = start_python(
            "itemeval_assets.runs.worker",
            str(self.count),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._notes,
            text=True,
        )
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()
        # A worker reads once its packages are loaded; until then the pipe holds 64 KB.
        line = study.snapshot.to_json() + "\n"
        briefing = threading.Thread(target=_write, args=(process, line), daemon=True)
        briefing.start()
        self._briefings.append(briefing)
        return process

    def _listen(self, number: int, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._told.put((number, json.loads(line)))
        self._told.put((number, {"gone": process.wait()}))

    def _tell(self, parts: list[dict[str, Any]], together: Progress | None) -> Progress | None:
        """One progress for all: the sum of those of the workers. The same object for a stage."""
        if self._listener is None:
            return None
        together = together or Progress(parts[0]["stage"], 0)
        for name in SUMMED:
            setattr(together, name, sum(part[name] for part in parts))
        for name in ("waiting", "waits_for"):
            setattr(together, name, next((part[name] for part in parts if part[name]), ""))
        together.oldest_s = max(part["oldest_s"] for part in parts)
        self._listener(together)
        return together

    def _last_words(self) -> str:
        self._notes.seek(0)
        return self._notes.read().decode(errors="replace")[-600:].strip()


def _write(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # a worker that is gone has said so
        process.stdin.write(line)
        process.stdin.flush()
