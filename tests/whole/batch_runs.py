"""Runs in batch mode that end in the middle: a process whose client looks often at its batches."""

import os
import signal
import time
from pathlib import Path

from inspect_ai.model._providers.util import batch as inspect_batch

from itemeval_assets.cli.entry import main
from tests.commands import Program
from tests.model_server import ModelServer

__all__ = ["TICK_S", "look_often", "run_killed", "started"]

TICK_S = 0.1
# The server answers nobody before the process is gone.
DEAD_S = 0.1


def look_often() -> None:
    """`itemeval-assets <arguments>` of a client that looks often what became of a batch."""
    inspect_batch.DEFAULT_BATCH_TICK = TICK_S
    inspect_batch.DEFAULT_SEND_DELAY = TICK_S
    main()


def started(*arguments: str | Path) -> Program:
    return Program(f"{__name__}:look_often", *arguments)


def run_killed(config: Path, server: ModelServer, step: str, times: int = 1) -> None:
    """Run a study, and kill the process when the server is at a step, so many times over."""
    left, killed = [times], []

    def kill(at: str) -> None:
        if at == step and not killed:
            left[0] -= 1
            if not left[0]:
                killed.append(at)
                os.kill(process.pid, signal.SIGKILL)
                time.sleep(DEAD_S)

    process = started("run", config, "--yes")
    server.batches.on_step = kill
    process.wait()
    server.batches.on_step = lambda at: None
    assert killed, f"no run came to {step}"
