"""One call: its requests on their way, and what is known of their replies."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from inspect_ai.log._samples import ActiveSample
from inspect_ai.solver._task_state import sample_state

from itemeval_assets.core.records.batches import NewLine

from .ended import REFUSED, UNREAD_REPLIES, CallEnded, ended_early

if TYPE_CHECKING:
    from .allowance import Meter


@dataclass
class Request:
    """A request on its way, since when, and whether a reply has come that is not read yet."""

    sent_s: float
    has_reply: bool = False


@dataclass(eq=False)
class Call:
    """One call with all its requests. `why_not` says why none may be sent; "" where one may.

    Of a `sample` of a task it is all calls of the sample together, and `meter` counts them: it is
    answered when it is logged. `line` is what its request is in a batch; `is_kept`: it is that, and
    the batch gives the answer again to who asks again.
    """

    why_not: Callable[[], str]
    line: NewLine | None = None
    is_kept: bool = False
    sample: ActiveSample | None = None
    meter: "Meter | None" = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    requests: int = 0
    is_answered: bool = False
    is_scored: bool = False
    unread_replies: int = 0
    in_flight: dict[asyncio.Task[Any] | None, Request] = field(default_factory=dict)

    @property
    def sent_s(self) -> float | None:
        """When the oldest of the requests was sent that are on their way."""
        return min((request.sent_s for request in self.in_flight.values()), default=None)

    def require(self) -> None:
        """Raise where no request may be sent any more."""
        if reason := self.why_not():
            ended = self.ended(reason)
            self._note(REFUSED, ended.message)
            raise ended

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request. A reply counts as unread where the block does not get to its end."""
        self.require()
        self.requests += 1
        task, request = asyncio.current_task(), Request(time.monotonic())
        # Code of a task may make a model that asks another one.
        outer = self.in_flight.get(task)
        self.in_flight[task] = request
        try:
            yield
            request.has_reply = False
        finally:
            self.unread_replies += request.has_reply
            if outer is None:
                del self.in_flight[task]
            else:
                self.in_flight[task] = outer
            if self.unread_replies:
                self._note(UNREAD_REPLIES, self.unread_replies)

    def _note(self, name: str, value: object) -> None:
        """Keep something with the sample of a task that is at work."""
        if self.sample and (state := sample_state()):
            state.metadata[name] = value

    def replied(self) -> None:
        """A reply has come to this task; a batch is asked for by one of its own, for many calls."""
        if request := self.in_flight.get(asyncio.current_task()):
            request.has_reply = True

    def ended(self, reason: str) -> CallEnded:
        return ended_early(reason, is_sent=self.requests > 0)

    def end(self) -> None:
        """Wait for nothing any more. Of a sample that is being scored, the solution is paid for."""
        if self.sample is None:
            self.scope.cancel()
        elif not self.is_scored:
            self.sample.interrupt("cancel")


call_at_work: ContextVar[Call | None] = ContextVar("call", default=None)


def line_at_work() -> NewLine | None:
    """What the call at work is in the batch that it is sent in now; null where nobody keeps it.

    Its usage is not noted: until it has a row, the batch has its answer.
    """
    call = call_at_work.get()
    if call is None or call.line is None:
        return None
    call.is_kept = True
    return call.line
