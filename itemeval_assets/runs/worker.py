"""One of several processes that share the partitions of a command's stages.

It reads its study, as the command has it, and one JSON line per share from its standard input, and
writes lines about its progress
and its end. When its input ends, the command that started it is over, by itself or because it
was killed: then no further call is made, since nothing reserves what it would cost.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any

from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.design.study import study_of
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.dagster_io.progress import listening, now_and_then
from itemeval_assets.engine.calls.evaluate import share_connections
from itemeval_assets.engine.calls.progress import Listener
from itemeval_assets.host.garbage import without_collection_at_the_end
from itemeval_assets.stages.ledger import usd_of_runs
from itemeval_assets.storage.study.store import open_store

from .launcher import Launcher
from .workers import Ended, Share

SECONDS_BETWEEN = 0.2
Message = dict[str, Any]


def main(count: str) -> None:
    """Serve as one of `count` workers."""
    # What libraries print must not come between the messages.
    with os.fdopen(os.dup(1), "w") as messages:
        os.dup2(2, 1)

        def tell(message: Message) -> None:
            # Nobody reads any more: the input has ended, too, and that is what ends this process.
            with suppress(BrokenPipeError):
                messages.write(json.dumps(message) + "\n")
                messages.flush()

        with without_collection_at_the_end(), suppress(KeyboardInterrupt):
            work(int(count), sys.stdin, tell)


def work(count: int, lines: IO[str], tell: Callable[[Message], None]) -> None:
    """Run one share per line, after the snapshot of the study.

    The end of the lines ends the share in work, as Ctrl-C does.
    """
    share_connections(count)
    snapshot = lines.readline()
    if not snapshot:
        return
    shares = _shares(lines)
    with Launcher.open(study_of(Snapshot.from_json(snapshot))) as launch, listening(_telling(tell)):
        while (share := shares.get()) is not None:
            tell({"ended": asdict(run_share(launch, share))})


def run_share(launch: Launcher, share: Share) -> Ended:
    """Run the spans of a share one after the other, up to the first error."""
    store = open_store(launch.study)
    first, error = len(launch.run_ids), None
    launch.recovered = launch.held_back = 0
    launch.failed_checks = []
    try:
        for begin, end in share.spans:
            spent_usd = usd_of_runs(store, launch.run_ids[first:])
            config = {**share.config, "consent_usd": max(0.0, share.consent_usd - spent_usd)}
            launch(share.tables, (begin, end), config, share.reserved_by)
    except ItemevalAssetsError as raised:
        error = {"kind": type(raised).__name__, "message": str(raised), "facts": raised.facts}
    return Ended(
        launch.run_ids[first:], launch.recovered, launch.held_back, launch.failed_checks, error
    )


def _shares(lines: IO[str]) -> "queue.Queue[Share | None]":
    """The shares as they come in, then None, and an interruption of what the main thread does."""
    found: queue.Queue[Share | None] = queue.Queue()

    def read() -> None:
        for line in lines:
            found.put(Share(**json.loads(line)))
        found.put(None)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=read, daemon=True).start()
    return found


def _telling(tell: Callable[[Message], None]) -> Listener:
    """Tell of some progress only: a line for each call would keep both sides busy."""
    return now_and_then(lambda progress: tell({"progress": asdict(progress)}), SECONDS_BETWEEN)
