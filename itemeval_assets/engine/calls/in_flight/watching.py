"""Watches models: each request of a call passes here before it is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from inspect_ai.model import Model, ModelOutput
from inspect_ai.model._model import RetryDecision

from itemeval_assets.engine.models.provider_errors import is_permanent
from itemeval_assets.engine.models.replies import listen

from .call import call_at_work
from .calls import current_calls
from .ended import CallEnded

_WATCHED = "is_watched"


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
        call = call_at_work.get()
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
            if is_noted and isinstance(output, ModelOutput) and (calls := current_calls()):
                calls.spent.add(model, output)
            return reply

    def should_retry(error: BaseException) -> bool | RetryDecision:
        call = call_at_work.get()
        if isinstance(error, CallEnded) or is_permanent(error):
            return RetryDecision.no()
        return RetryDecision.no() if call and call.why_not() else may_retry(error)

    setattr(generate, _WATCHED, True)
    api.generate, api.should_retry = generate, should_retry
    return model


def _on_reply() -> None:
    if call := call_at_work.get():
        call.replied()
