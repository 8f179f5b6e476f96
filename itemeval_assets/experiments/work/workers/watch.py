"""What a run and the script that waits for it tell each other: how far it is, and to stop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from itemeval_assets.core.errors import Stopped
from itemeval_assets.experiments.outputs.outcomes import Outcome


class Watch:
    """Counts of the specs of one Dagster run; and whether somebody wants it to stop.

    `total` is the number of specs that the run has to do; 0 until that is known.
    """

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.failed = 0
        self.is_at_work = False
        self._stop = threading.Event()

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the run to stop."""
        self._stop.set()

    def check(self) -> None:
        """Raise Stopped once somebody has asked for it."""
        if self._stop.is_set():
            raise Stopped("stopped; finished specs are kept, and resume() continues from there")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A spec shares the process of the script while the block runs: a stop waits for it."""
        self.is_at_work = True
        try:
            yield
        finally:
            self.is_at_work = False

    def count(self, outcome: Outcome) -> None:
        self.done += 1
        self.failed += outcome.failure is not None
