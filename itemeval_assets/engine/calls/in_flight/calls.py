"""The calls of one eval: when requests may be sent, and how all of them end.

A run that is told to stop sends no further request, and waits a little for the answers that
are on their way: they are paid for. Only when all that was answered is in the log is the eval
itself cancelled, because inspect drops a sample that is cancelled on its way into the log.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from inspect_ai.log._samples import sample_active
from inspect_ai.model import ModelUsage

from itemeval_assets.core.records.batches import NewLine
from itemeval_assets.engine.logs.spent import Spent
from itemeval_assets.engine.logs.usage import is_plausible

from .call import Call, call_at_work
from .ended import UNREAD_REPLIES

if TYPE_CHECKING:
    from .allowance import Meter

# How long an answer may take that is on its way when the run is told to stop.
GRACE_S = 3.0
TICK_S = 2.0
# How long the loop may be busy after it was told something.
DEAF_S = 1.0
_STOPPED = "the run was stopped"


class Calls:
    """The calls of one eval. `tell(in_flight, oldest_s)` is told every few seconds.

    `cancel` ends the eval as inspect would end it; it is set once calls are made.
    """

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        self.is_stopping = False
        # An error was seen that all other samples would have, too.
        self.are_hopeless = False
        self.cancel: Callable[[], None] = lambda: None
        self.on_begin: Callable[[], None] = lambda: None
        self.spent = Spent()
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unheard_since_s: float | None = None
        self._open: set[Call] = set()
        self._unlogged: set[str] = set()
        # Of tasks, by log, id and epoch.
        self._samples: dict[tuple[str, str, int], Call] = {}

    def begin(self) -> None:
        """Called within the event loop, before the first call of each Task."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self.on_begin()
            self._tick()

    @contextmanager
    def call(
        self,
        sample: str,
        why_not: Callable[[], str],
        notes: dict[str, Any],
        line: NewLine | None = None,
    ) -> Iterator[None]:
        """One call, for the sample of this uuid. Raises NotSent or CutOff where it ends early.

        `notes` is told of replies that could not be read, the sample's metadata. `line`: what the
        call is where it is sent in a batch; null: such a batch is not kept.
        """
        call = Call(lambda: _STOPPED if self.is_stopping else why_not(), line)
        token = call_at_work.set(call)
        self._open.add(call)
        self._unlogged.add(sample)
        try:
            call.require()
            with call.scope:
                yield
            if call.scope.cancelled_caught:
                raise call.ended(_STOPPED)
        finally:
            self._open.discard(call)
            call_at_work.reset(token)
            if call.unread_replies:
                notes[UNREAD_REPLIES] = call.unread_replies

    def begin_sample(self, meter: "Meter") -> None:
        """All calls from here to the log are those of the sample at work, a sample of a task.

        One that is tried again after an error takes the place of its last try.
        """
        sample = sample_active()
        assert sample is not None

        def why_not() -> str:
            return _STOPPED if self.is_stopping and not call.is_scored else meter.why_not()

        call = Call(why_not, sample=sample, meter=meter)
        place = sample.log_location, str(sample.sample.id), sample.epoch
        self._close(self._samples.get(place))
        self._samples[place] = call
        self._open.add(call)
        self._unlogged.add(str(sample.sample_uuid))
        call_at_work.set(call)

    def used(self, model: str, usage: ModelUsage) -> None:
        """A model has answered the sample at work, whichever model it was."""
        call = call_at_work.get()
        if call and call.sample and call.meter and is_plausible(usage):
            call.meter.add(model, usage)
            self.spent.add_usage(call.sample.log_location, model, usage)

    def scoring(self, sample: str) -> None:
        """A sample is answered, and is scored now: that is not broken off."""
        for call in self._samples.values():
            if call.sample and call.sample.sample_uuid == sample:
                call.is_scored = True

    def _close(self, call: Call | None) -> None:
        if call and call.sample and call.meter:
            self._open.discard(call)
            self._unlogged.discard(str(call.sample.sample_uuid))
            call.meter.close()

    def logged(self, sample: str) -> None:
        """The sample is in its log."""
        for place, call in self._samples.items():
            if call.sample and call.sample.sample_uuid == sample:
                self._close(self._samples.pop(place))
                break
        self._unlogged.discard(sample)
        self._cancel_if_all_is_logged()

    def stop(self) -> None:
        """Send no further request; safe within a signal handler, as is `cut_off`."""
        self._soon(self._stop)

    def cut_off(self) -> None:
        """Wait for no answer any more."""
        self._soon(self._cut_off)

    @property
    def is_deaf(self) -> bool:
        """Whether code that gives nobody else a turn keeps the loop from what it was told."""
        told_s = self._unheard_since_s
        return told_s is not None and time.monotonic() - told_s >= DEAF_S

    def _soon(self, do: Callable[[], None]) -> None:
        def heard() -> None:
            self._unheard_since_s = None
            do()

        self.is_stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._unheard_since_s = self._unheard_since_s or time.monotonic()
            self._loop.call_soon_threadsafe(heard)

    def _stop(self) -> None:
        assert self._loop is not None
        for call in self._open:
            if call.sent_s is None and not call.is_answered:
                call.end()
        self._loop.call_later(GRACE_S, self._cut_off)
        self._cancel_if_all_is_logged()

    def _cut_off(self) -> None:
        for call in self._open:
            if not call.is_answered:
                call.end()

    def _cancel_if_all_is_logged(self) -> None:
        if self.is_stopping and not self._unlogged:
            cancel, self.cancel = self.cancel, lambda: None
            cancel()

    def _tick(self) -> None:
        assert self._loop is not None
        sent = [call.sent_s for call in self._open if call.sent_s is not None]
        self._tell(len(sent), time.monotonic() - min(sent) if sent else 0.0)
        self._loop.call_later(TICK_S, self._tick)


# inspect runs one eval at a time per process.
_current: Calls | None = None


@contextmanager
def calls_of_eval(tell: Callable[[int, float], None]) -> Iterator[Calls]:
    """The calls of the eval that the block runs."""
    global _current
    _current = Calls(tell)
    try:
        yield _current
    finally:
        _current = None
        tell(0, 0.0)


def current_calls() -> Calls | None:
    """The calls of the eval in progress."""
    return _current
