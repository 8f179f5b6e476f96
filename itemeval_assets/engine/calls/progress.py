"""Progress of an evaluation in flight, as whoever listens is told of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from itemeval_assets.core.text.words import dollars

Listener = Callable[["Progress"], None]


@dataclass
class Progress:
    """Counts since the evaluation began. `usd` holds priced models only.

    `waiting` says what the calls wait for just now: a rate limit, a batch. `oldest_s`: how long
    the oldest of the calls in flight has waited for its answer. `waits_for`: a condition that
    another run works on, and that run; no call is made meanwhile. `warnings`: what to know of the
    calls before they are made; told once, with no total.
    """

    stage: str
    total: int
    done: int = 0
    errored: int = 0
    retries: int = 0
    usd: float = 0.0
    waiting: str = ""
    waits_for: str = ""
    warnings: tuple[str, ...] = ()
    in_flight: int = 0
    oldest_s: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.started

    @property
    def rate_per_s(self) -> float:
        return self.done / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        return (self.total - self.done) / self.rate_per_s if self.done else None

    def flight(self) -> str:
        """The calls in flight, in words; none where there are none."""
        if not self.in_flight:
            return ""
        return f"{self.in_flight} in flight, the oldest for {self.oldest_s:.0f} s"

    def line(self) -> str:
        """One line for a log."""
        left = f", {self.left_s:.0f} s left" if self.left_s is not None else ""
        errors = f", {self.errored} errored" if self.errored else ""
        waits = f", {self.retries} retries" if self.retries else ""
        waits += f" ({self.waiting})" if self.waiting else ""
        waits += f", {flight}" if (flight := self.flight()) else ""
        return (
            f"{self.stage}: {self.done}/{self.total} calls, {self.rate_per_s:.1f}/s, "
            f"{dollars(self.usd)}{errors}{waits}{left}"
        )
