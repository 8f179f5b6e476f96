"""Dagster's daemon, as `itemeval-assets ui` and a deployment run it: `... -w workspace.yaml`.

Dagster looks at its backfills every 30 seconds, and there is nothing to set. The layers of a study
are run one after the other, and each of them would wait for such a look.
"""

from dagster._daemon import controller
from dagster._daemon.cli import run_command

BACKFILL_EVERY_S = 3


def look_at_backfills_often() -> None:
    """Dagster's loop reads its constant when it begins."""
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = BACKFILL_EVERY_S


if __name__ == "__main__":
    look_at_backfills_often()
    run_command(prog_name=f"python -m {__spec__.name}")
