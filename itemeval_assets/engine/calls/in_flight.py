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
from functools import wraps
from typing import TYPE_CHECKING, Any

import anyio
from inspect_ai.log import EvalSample
from inspect_ai.log._samples import ActiveSample, sample_active
from inspect_ai.model import Model, ModelOutput, ModelUsage
from inspect_ai.model._model import RetryDecision
from inspect_ai.solver._task_state import sample_state

from itemeval_assets.core.records.batches import NewLine
from itemeval_assets.engine.logs.spent import Spent
from itemeval_assets.engine.logs.usage import is_plausible
from itemeval_assets.engine.models.provider_errors import is_permanent
from itemeval_assets.engine.models.replies import listen

if TYPE_CHECKING:
    from .allowance import Meter

# How long an answer may take that is on its way when the run is told to stop.
GRACE_S = 3.0
TICK_S = 2.0
# How long the loop may be busy after it was told something.
DEAF_S = 1.0
_NOT_SENT = "not sent: "
_NO_ANSWER = " before an answer came"
_STOPPED = "the run was stopped"
# In a sample's metadata: how many replies came that nobody could read, and that may be billed.
UNREAD_REPLIES = "unread_replies"
# In a sample's metadata: why a request of it was not sent. Code of a task may catch every error,
# and go on without the answer.
REFUSED = "refused"
_WATCHED = "is_watched"


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
    told = sample.error.message if sample.error else sample.metadata.get(REFUSED, "")
    return not told.startswith(_NOT_SENT) or bool(sample.model_usage)


def was_refused(error: str | None) -> bool:
    """Whether this error of a call of a task says that no request of it was sent."""
    return bool(error) and (error.startswith(_NOT_SENT) or error.endswith(_NO_ANSWER))


@dataclass
class _Request:
    """A request on its way, since when, and whether a reply has come that is not read yet."""

    sent_s: float
    has_reply: bool = False


@dataclass(eq=False)
class _Call:
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
    in_flight: dict[asyncio.Task[Any] | None, _Request] = field(default_factory=dict)

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
        task, request = asyncio.current_task(), _Request(time.monotonic())
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
        if self.requests:
            return CutOff(f"{reason}{_NO_ANSWER}")
        return NotSent(f"{_NOT_SENT}{reason}")

    def end(self) -> None:
        """Wait for nothing any more. Of a sample that is being scored, the solution is paid for."""
        if self.sample is None:
            self.scope.cancel()
        elif not self.is_scored:
            self.sample.interrupt("cancel")


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


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
        self._open: set[_Call] = set()
        self._unlogged: set[str] = set()
        # Of tasks, by log, id and epoch.
        self._samples: dict[tuple[str, str, int], _Call] = {}

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
        call = _Call(lambda: _STOPPED if self.is_stopping else why_not(), line)
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

    def begin_sample(self, meter: "Meter") -> None:
        """All calls from here to the log are those of the sample at work, a sample of a task.

        One that is tried again after an error takes the place of its last try.
        """
        sample = sample_active()
        assert sample is not None

        def why_not() -> str:
            return _STOPPED if self.is_stopping and not call.is_scored else meter.why_not()

        call = _Call(why_not, sample=sample, meter=meter)
        place = sample.log_location, str(sample.sample.id), sample.epoch
        self._close(self._samples.get(place))
        self._samples[place] = call
        self._open.add(call)
        self._unlogged.add(str(sample.sample_uuid))
        _call.set(call)

    def used(self, model: str, usage: ModelUsage) -> None:
        """A model has answered the sample at work, whichever model it was."""
        call = _call.get()
        if call and call.sample and call.meter and is_plausible(usage):
            call.meter.add(model, usage)
            self.spent.add_usage(call.sample.log_location, model, usage)

    def scoring(self, sample: str) -> None:
        """A sample is answered, and is scored now: that is not broken off."""
        for call in self._samples.values():
            if call.sample and call.sample.sample_uuid == sample:
                call.is_scored = True

    def _close(self, call: _Call | None) -> None:
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


@contextmanager
def all_watched() -> Iterator[None]:
    """Watch each model that the block asks: code of a task makes models of its own."""
    usual = Model.generate

    @wraps(usual)
    async def generate(self: Model, *args: Any, **kwargs: Any) -> ModelOutput:
        return await usual(watched(self), *args, **kwargs)

    Model.generate = generate  # type: ignore[method-assign]
    try:
        yield
    finally:
        Model.generate = usual  # type: ignore[method-assign]


def watched(model: Model) -> Model:
    """The model, each of whose requests passes here first, once.

    The clients of providers repeat requests on their own, beside inspect's retries: not here,
    so that `max_retries` says how many requests there are at most.
    """
    api: Any = model.api
    if hasattr(api.generate, _WATCHED):
        return model
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
            # What a sample of a task uses is told by its hook, of all models.
            if call.sample is None:
                call.is_answered = not isinstance(output, Exception)
            is_noted = call.sample is None and not call.is_kept
            if _current and is_noted and isinstance(output, ModelOutput):
                _current.spent.add(model, output)
            return reply

    def should_retry(error: BaseException) -> bool | RetryDecision:
        call = _call.get()
        if isinstance(error, CallEnded) or is_permanent(error):
            return RetryDecision.no()
        return RetryDecision.no() if call and call.why_not() else may_retry(error)

    setattr(generate, _WATCHED, True)
    api.generate, api.should_retry = generate, should_retry
    return model


def line_at_work() -> NewLine | None:
    """What the call at work is in the batch that it is sent in now; null where nobody keeps it.

    Its usage is not noted: until it has a row, the batch has its answer.
    """
    call = _call.get()
    if call is None or call.line is None:
        return None
    call.is_kept = True
    return call.line


def _on_reply() -> None:
    if call := _call.get():
        call.replied()
