"""One of several processes that share the partitions of a command's stages.

It is sent its study, as the command has it, and one share after the other, and tells of its
progress and of the end of each. When the channel ends, the command that started it is over, by
itself or because it was killed: then no further call is made, since nothing reserves what it would
cost.
"""

import os
import queue
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from itemeval_assets.core.design.study import study_of
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.dagster_io.progress import listening, now_and_then
from itemeval_assets.engine.calls.evaluate import share_connections
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.host.garbage import without_collection_at_the_end
from itemeval_assets.host.processes import own_end
from itemeval_assets.stages.ledger import usd_of_runs
from itemeval_assets.storage.study.store import open_store

from .launcher import Launcher
from .workers import Ended, Share

SECONDS_BETWEEN = 0.2


def main(channel: str) -> None:
    """Serve over a channel."""
    # In the background of a script Ctrl-C is ignored, and the end of the channel would be, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with without_collection_at_the_end(), suppress(KeyboardInterrupt):
        work(own_end(channel))


def work(command: "Connection[Any, Any]") -> None:
    """Run one share after the other, after the snapshot of the study.

    The end of the channel ends the share in work, as Ctrl-C does.
    """
    received = _received(command)

    def tell(what: Progress | Ended) -> None:
        # Nobody listens any more: nobody sends either, and that is what ends this process.
        with suppress(ConnectionError):
            command.send(what)

    snapshot = received.get()
    if snapshot is None:
        return
    # Of some progress only: a message for each call would keep both sides busy.
    listener = now_and_then(tell, SECONDS_BETWEEN)
    with Launcher.open(study_of(snapshot)) as launch, listening(listener):
        while (share := received.get()) is not None:
            tell(run_share(launch, share))


def run_share(launch: Launcher, share: Share) -> Ended:
    """Run the spans of a share one after the other, up to the first error."""
    store = open_store(launch.study)
    first, error = len(launch.run_ids), None
    launch.recovered = launch.held_back = 0
    launch.failed_checks = []
    share_connections(share.connections)
    try:
        for begin, end in share.spans:
            spent_usd = usd_of_runs(store, launch.run_ids[first:])
            config = {**share.config, "consent_usd": max(0.0, share.consent_usd - spent_usd)}
            launch(share.tables, (begin, end), config, share.reserved_by)
    except ItemevalAssetsError as raised:
        error = raised
    return Ended(
        launch.run_ids[first:], launch.recovered, launch.held_back, launch.failed_checks, error
    )


def _received(command: "Connection[Any, Any]") -> "queue.Queue[Any]":
    """What the command sends, then None, and an interruption of what the main thread does."""
    found: queue.Queue[Any] = queue.Queue()

    def read() -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                found.put(command.recv())
        found.put(None)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=read, daemon=True).start()
    return found
