"""Asking again elsewhere at OpenRouter, where a reply came that is no answer.

OpenRouter passes a call on to one of several providers. One that breaks off may reply with a
status of success, a finish reason of its own and half a text or none. Such a call is made once
more, without the providers that have failed it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from inspect_ai.event import ModelEvent
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessage, Model, ModelCall, ModelOutput

from itemeval_assets.engine.models.provider_errors import is_permanent

# In a sample's metadata: who answered, and the replies before that were no answers.
SERVED_PROVIDER, REROUTES = "served_provider", "reroutes"
# Stop reasons of replies that are no answers; inspect calls unknown what no model ends with.
_NO_ANSWER = ("content_filter", "unknown")


class Rerouting(NamedTuple):
    """How often a call is made again at most, and the model without some providers."""

    most: int
    without: Callable[[Sequence[str]], Model]


def is_no_answer(output: ModelOutput) -> bool:
    """Whether a reply came that its model did not end itself."""
    return bool(output.choices) and output.stop_reason in _NO_ANSWER


async def asked_elsewhere(
    output: ModelOutput, rerouting: Rerouting, asked: list[ChatMessage], notes: dict[str, Any]
) -> ModelOutput:
    """The first reply that is an answer, or the last one. `notes` say which were none, and whose.

    The usage of the reply is that of all calls.
    """
    left_out: list[str] = []
    used = output.usage
    while is_no_answer(output) and len(left_out) < rerouting.most:
        provider, reason = served_provider(), output.stop_reason
        if provider is None or provider in left_out:
            break
        left_out.append(provider)
        try:
            output = await rerouting.without(left_out).generate(asked, cache=False)
        except Exception as error:
            if is_permanent(error):  # nobody else is left
                break
            raise
        notes[REROUTES] = [*notes.get(REROUTES, ()), {"provider": provider, "stop_reason": reason}]
        used = used + output.usage if used and output.usage else used or output.usage
    output.usage = used
    return output


def served_provider() -> str | None:
    """Whom OpenRouter passed the last answered call of this sample on to, as its reply says."""
    calls = (event.call for event in reversed(transcript().events) if isinstance(event, ModelEvent))
    return next(filter(None, map(_provider_of, calls)), None)


def _provider_of(call: ModelCall | None) -> str | None:
    reply = call.response if call else None
    name = reply.get("provider") if isinstance(reply, dict) else None
    return name if isinstance(name, str) else None


def routing_without(routing: dict[str, Any] | None, left_out: Sequence[str]) -> dict[str, Any]:
    """Options of OpenRouter on who answers, with some providers left out."""
    given = dict(routing or {})
    return {**given, "ignore": list(dict.fromkeys([*given.get("ignore", ()), *left_out]))}
