"""A process that runs specs of one run, one after the other, until its parent is gone.

It is started by `pool`, without the script that started the run: a spec needs no main guard.
"""

import os
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.outputs.outcomes import Failure, Outcome
from itemeval_assets.experiments.spec.function import function_at
from itemeval_assets.experiments.spec.transport import decode_specs
from itemeval_assets.experiments.work.fetching import Fetcher
from itemeval_assets.experiments.work.partitions import run_of_partition
from itemeval_assets.experiments.work.run_spec import failure_of, file_store, run_spec
from itemeval_assets.host.limits import limit_memory
from itemeval_assets.host.processes import own_end

_worker = threading.Event()


@dataclass(frozen=True)
class Setup:
    """Which function a worker runs, on the specs of which run.

    `origin` is `module:qualname`.
    """

    origin: str
    partition: str
    storage: ExperimentStorageSettings
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Ready:
    """A worker has loaded everything, and waits for specs."""


@dataclass(frozen=True)
class Unready:
    """Why a worker cannot begin."""

    message: str


def is_worker() -> bool:
    """Whether this process runs specs for another one."""
    return _worker.is_set()


def main(channel: str, life: str, folder: str) -> None:
    """Serve over the socket `channel` until it, or the pipe `life` of the parent, is closed.

    `folder` is the one that the parent has made for files of its workers.
    """
    os.set_inheritable(int(life), False)
    threading.Thread(target=_end_with, args=(int(life), folder), daemon=True).start()
    _worker.set()
    # Nobody listens any more: the run has ended.
    with suppress(EOFError, ConnectionError):
        _serve(own_end(channel))


def _serve(connection: "Connection[Any, Any]") -> None:
    try:
        work = _prepare(connection.recv())
    except (Exception, SystemExit) as error:
        connection.send(Unready(f"{type(error).__name__}: {error}"))
        return
    connection.send(Ready())
    while True:
        line = connection.recv_bytes()
        try:
            outcome: Outcome | Failure = work(line)
        except BaseException as error:  # no signal comes here: it is the function that raises
            outcome = failure_of(error)
        try:
            connection.send(outcome)
        except MemoryError as error:
            connection.send(failure_of(error))


def _end_with(life: int, folder: str) -> None:
    """End this process, and those it has started, when its parent has ended."""
    os.read(life, 1)
    # A parent that was killed could not do it.
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _prepare(setup: Setup) -> Callable[[bytes], Outcome]:
    """Load everything, so that specs have nothing to wait for."""
    experiment = function_at(setup.origin)
    run = run_of_partition(experiment, setup.partition, setup.storage)
    fetch, store_file = Fetcher(run.backend), file_store(run)

    def work(line: bytes) -> Outcome:
        (spec,) = decode_specs(line, experiment.input_type)
        spec._fetch = fetch
        return run_spec(experiment, spec, store_file)

    if setup.memory_bytes is not None:
        limit_memory(setup.memory_bytes)
    return work
