"""Several processes for one command: each makes Dagster runs over its share of the partitions.

A worker is a Python process that reads one JSON line per share from its standard input, and
writes lines about its progress and its end. It ends with its input, so that none outlives the
command that started it.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from itemeval_assets.core import errors
from itemeval_assets.core.errors import ItemevalAssetsError, RunFailed

if TYPE_CHECKING:
    from itemeval_assets.core.study import Study
    from itemeval_assets.engine.progress import Listener, Progress

__all__ = ["Ended", "Share", "Workers"]

MESSAGES_PER_S = 5.0
END_S = 60.0


@dataclass(frozen=True)
class Share:
    """What one worker runs: tables over spans of partition keys, one Dagster run per span."""

    tables: Sequence[str]
    spans: Sequence[tuple[str, str]]
    config: Mapping[str, Any]
    reserved_by: str


@dataclass(frozen=True)
class Ended:
    """What became of a share; `error`: class, message and facts of what ended it early."""

    run_ids: list[str]
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[str] = field(default_factory=list)
    error: Mapping[str, Any] | None = None

    def raised(self) -> Exception | None:
        """The error as the class it was raised as."""
        if self.error is None:
            return None
        kind: type[ItemevalAssetsError] = getattr(errors, self.error["kind"], RunFailed)
        return kind(self.error["message"], self.error["facts"])


class Workers:
    """The processes of one command, started at once and used for one stage after the other."""

    def __init__(
        self, study: "Study", count: int, listener: "Listener | None", notes: IO[bytes]
    ) -> None:
        self.count = count
        self._listener = listener
        self._told: queue.Queue[tuple[int, dict[str, Any]]] = queue.Queue()
        self._notes = notes
        self._processes = [self._start(study, number, count) for number in range(count)]

    @classmethod
    @contextmanager
    def open(cls, study: "Study", count: int, listener: "Listener | None") -> Iterator["Workers"]:
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
        for process, share in zip(self._processes, shares, strict=False):
            assert process.stdin is not None
            process.stdin.write(json.dumps(asdict(share)) + "\n")
            process.stdin.flush()
        ended: dict[int, Ended] = {}
        progress: dict[int, dict[str, Any]] = {}
        together: list[Progress] = []
        while len(ended) < len(shares):
            number, message = self._told.get()
            if "ended" in message:
                ended[number] = Ended(**message["ended"])
            elif "progress" in message:
                progress[number] = message["progress"]
                self._tell(list(progress.values()), together)
            else:
                raise RunFailed(
                    f"worker {number + 1} ended with exit code {message['gone']}. Finished calls "
                    f"are kept, the next run goes on from there.\n{self._last_words()}"
                )
        return [ended[number] for number in range(len(shares))]

    def end(self) -> None:
        """Let the workers go: they finish what they write, and end."""
        for process in self._processes:
            with suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, study: "Study", number: int, count: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "itemeval_assets.workers", str(study.config_path)]
        process = subprocess.Popen(
            [*command, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._notes,
            text=True,
        )
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()
        return process

    def _listen(self, number: int, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._told.put((number, json.loads(line)))
        self._told.put((number, {"gone": process.wait()}))

    def _tell(self, parts: list[dict[str, Any]], together: "list[Progress]") -> None:
        """One progress for all: the sum of those of the workers. The same object for a stage."""
        if self._listener is None:
            return
        from itemeval_assets.engine.progress import Progress

        if not together:
            together.append(Progress(parts[0]["stage"], 0))
        for name in ("total", "done", "errored", "retries", "usd"):
            setattr(together[0], name, sum(part[name] for part in parts))
        together[0].waiting = next((part["waiting"] for part in parts if part["waiting"]), "")
        self._listener(together[0])

    def _last_words(self) -> str:
        self._notes.seek(0)
        return self._notes.read().decode(errors="replace")[-600:].strip()


def work(config: str, count: int, lines: IO[str], tell: Callable[[dict[str, Any]], None]) -> None:
    """Be a worker: run one share per line until there are no more."""
    from itemeval_assets.defs.progress import listening
    from itemeval_assets.engine.evaluate import share_connections
    from itemeval_assets.launcher import Launcher
    from itemeval_assets.storage.inputs import load_study

    share_connections(count)
    with Launcher.open(load_study(config)) as launch, listening(_seldom(tell)):
        for line in lines:
            share = Share(**json.loads(line))
            tell({"ended": asdict(_run(launch, share))})


def _run(launch: Any, share: Share) -> Ended:
    """Run the spans of a share one after the other, up to the first error."""
    first, error = len(launch.run_ids), None
    launch.recovered = launch.held_back = 0
    launch.failed_checks = []
    try:
        for begin, end in share.spans:
            launch(share.tables, (begin, end), share.config, share.reserved_by)
    except ItemevalAssetsError as raised:
        error = {"kind": type(raised).__name__, "message": str(raised), "facts": raised.facts}
    return Ended(
        launch.run_ids[first:], launch.recovered, launch.held_back, launch.failed_checks, error
    )


def _seldom(tell: Callable[[dict[str, Any]], None]) -> "Callable[[Progress], None]":
    """Tell of some progress only: a line for each call would keep both sides busy."""
    last = 0.0

    def listen(progress: "Progress") -> None:
        nonlocal last
        if progress.done == progress.total or time.monotonic() - last > 1 / MESSAGES_PER_S:
            last = time.monotonic()
            tell({"progress": asdict(progress)})

    return listen


def main() -> None:
    # What libraries print must not come between the messages.
    with os.fdopen(os.dup(1), "w") as messages:
        os.dup2(2, 1)

        def tell(message: dict[str, Any]) -> None:
            messages.write(json.dumps(message) + "\n")
            messages.flush()

        with suppress(KeyboardInterrupt, BrokenPipeError):
            work(sys.argv[1], int(sys.argv[2]), sys.stdin, tell)


if __name__ == "__main__":
    main()
