"""Calls in flight: which request may be sent, for how long it waits, and how calls end early.

A run that is told to stop sends no further request, and waits a little for the answers that
are on their way: they are paid for. Only when all that was answered is in the log is the eval
itself cancelled, because inspect drops a sample that is cancelled on its way into the log.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import anyio
from inspect_ai.log import EvalSample
from inspect_ai.model import Model, ModelOutput
from inspect_ai.model._model import RetryDecision

from itemeval_assets.engine.logs.spent import Spent
from itemeval_assets.engine.models.provider_errors import is_permanent
from itemeval_assets.engine.models.replies import listen

# How long an answer may take that is on its way when the run is told to stop.
GRACE_S = 3.0
TICK_S = 2.0
_NOT_SENT = "not sent: "
_STOPPED = "the run was stopped"
# In a sample's metadata: how many replies came that nobody could read, and that may be billed.
UNREAD_REPLIES = "unread_replies"


class CallEnded(Exception):
    """A call ended early. inspect keeps `message` as the error of the sample."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotSent(CallEnded):
    """No request of a call was sent: nothing was paid, and nobody answered."""


class CutOff(CallEnded):
    """A call ended before its answer came. Its provider may bill it all the same."""


def was_sent(sample: EvalSample) -> bool:
    """Whether a request was sent for a sample."""
    refused = sample.error is not None and sample.error.message.startswith(_NOT_SENT)
    return not refused or bool(sample.model_usage)


@dataclass(eq=False)
class _Call:
    """One call with all its requests. `why_not` says why none may be sent; "" where one may."""

    why_not: Callable[[], str]
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    requests: int = 0
    sent_s: float | None = None
    is_answered: bool = False
    unread_replies: int = 0
    task: asyncio.Task[Any] | None = None
    has_reply: bool = False

    def require(self) -> None:
        """Raise where no request may be sent any more."""
        if reason := self.why_not():
            raise self.ended(reason)

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request. A reply counts as unread where the block does not get to its end."""
        self.require()
        self.requests += 1
        self.sent_s, self.has_reply, self.task = time.monotonic(), False, asyncio.current_task()
        try:
            yield
            self.has_reply = False
        finally:
            self.unread_replies += self.has_reply
            self.sent_s = self.task = None

    def replied(self) -> None:
        """A reply has come to this task; a batch is asked for by one of its own, for many calls."""
        self.has_reply = self.has_reply or asyncio.current_task() is self.task

    def ended(self, reason: str) -> CallEnded:
        if self.requests:
            return CutOff(f"{reason} before an answer came")
        return NotSent(f"{_NOT_SENT}{reason}")


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


class Calls:
    """The calls of one eval. `tell(in_flight, oldest_s)` is told every few seconds.

    `cancel` ends the eval as inspect would end it; it is set once calls are made.
    """

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        self.is_stopping = False
        self.cancel: Callable[[], None] = lambda: None
        self.on_begin: Callable[[], None] = lambda: None
        self.spent = Spent()
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[_Call] = set()
        self._unlogged: set[str] = set()

    def begin(self) -> None:
        """Called within the event loop, before the first call of each Task."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self.on_begin()
            self._tick()

    @contextmanager
    def call(
        self, sample: str, why_not: Callable[[], str], notes: dict[str, Any]
    ) -> Iterator[None]:
        """One call, for the sample of this uuid. Raises NotSent or CutOff where it ends early.

        `notes` is told of replies that could not be read, the sample's metadata.
        """
        call = _Call(lambda: _STOPPED if self.is_stopping else why_not())
        token = _call.set(call)
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
            _call.reset(token)
            if call.unread_replies:
                notes[UNREAD_REPLIES] = call.unread_replies

    def logged(self, sample: str) -> None:
        """The sample is in its log."""
        self._unlogged.discard(sample)
        self._cancel_if_all_is_logged()

    def stop(self) -> None:
        """Send no further request; safe within a signal handler, as is `cut_off`."""
        self._soon(self._stop)

    def cut_off(self) -> None:
        """Wait for no answer any more."""
        self._soon(self._cut_off)

    def _soon(self, do: Callable[[], None]) -> None:
        self.is_stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do)

    def _stop(self) -> None:
        assert self._loop is not None
        for call in self._open:
            if call.sent_s is None and not call.is_answered:
                call.scope.cancel()
        self._loop.call_later(GRACE_S, self._cut_off)
        self._cancel_if_all_is_logged()

    def _cut_off(self) -> None:
        for call in self._open:
            if not call.is_answered:
                call.scope.cancel()

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


def watched(model: Model) -> Model:
    """The model, each of whose requests passes here first.

    The clients of providers repeat requests on their own, beside inspect's retries: not here,
    so that `max_retries` says how many requests there are at most.
    """
    api: Any = model.api
    send, may_retry = api.generate, api.should_retry
    heard: Any = None

    async def generate(*args: Any, **kwargs: Any) -> Any:
        nonlocal heard
        call = _call.get()
        client: Any = getattr(api, "client", None)
        if client is not heard:
            listen(client, _on_reply)
            heard = client
        if hasattr(client, "max_retries"):
            client.max_retries = 0
        if call is None:
            return await send(*args, **kwargs)
        with call.request():
            reply = await send(*args, **kwargs)
            output = reply[0] if isinstance(reply, tuple) else reply
            call.is_answered = not isinstance(output, Exception)
            if _current and isinstance(output, ModelOutput):
                _current.spent.add(model, output)
            return reply

    def should_retry(error: BaseException) -> bool | RetryDecision:
        call = _call.get()
        if isinstance(error, CallEnded) or is_permanent(error):
            return RetryDecision.no()
        return RetryDecision.no() if call and call.why_not() else may_retry(error)

    api.generate, api.should_retry = generate, should_retry
    return model


def _on_reply() -> None:
    if call := _call.get():
        call.replied()
