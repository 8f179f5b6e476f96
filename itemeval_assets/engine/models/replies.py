"""Replies as the HTTP client of a provider gives them, before inspect reads them.

inspect fails on a reply whose usage is no usage, and its answer would be lost with it.
"""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from inspect import isawaitable
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

_Create = Callable[..., Awaitable[Any]]
# Where the clients of OpenAI, and those made like them, ask for an answer.
_RESOURCES = ("chat.completions", "completions", "responses")


def listen(client: Any, on_reply: Callable[[], None]) -> None:
    """Tell of every reply of a client that says success, and take out a usage that cannot be read.

    Called once per client; of one that is not made of httpx nothing is told.
    """

    async def on_response(response: Any) -> None:
        if response.is_success:
            on_reply()

    http: Any = getattr(client, "_client", None)
    if hasattr(http, "event_hooks"):
        http.event_hooks["response"].append(on_response)
    for name in _RESOURCES:
        resource: Any = client
        for part in name.split("."):
            resource = getattr(resource, part, None)
        if hasattr(resource, "with_raw_response"):
            resource.create = _with_readable_usage(resource.create, resource.with_raw_response)


def _with_readable_usage(create: _Create, raw: Any) -> _Create:
    async def create_readable(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("stream"):
            return await create(*args, **kwargs)
        answer = await raw.create(*args, **kwargs)
        parsed = answer.parse()
        reply = await parsed if isawaitable(parsed) else parsed
        if getattr(reply, "usage", None) is not None:
            told = json.loads(answer.http_response.content)["usage"]
            reply.usage = _readable(type(reply), told)
        return reply

    return create_readable


def _readable(reply: Any, told: Any) -> Any:
    """The usage that a reply tells, with the types that it declares; None where it has others.

    The client builds its objects without a look at the types.
    """
    try:
        usage = _reader(reply.model_fields["usage"].annotation).validate_python(told)
    except ValidationError:
        return None
    return None if _takes_truth_for_a_count(usage, told) else usage


@cache
def _reader(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared)


def _takes_truth_for_a_count(usage: Any, told: dict[str, Any]) -> bool:
    """Whether a count is true or false, which pydantic reads as 1 or 0."""
    declared = {name: getattr(usage, name) for name in type(usage).model_fields}
    return any(
        _takes_truth_for_a_count(value, told[name])
        if isinstance(value, BaseModel)
        else isinstance(value, int) and isinstance(told.get(name), bool)
        for name, value in declared.items()
    )
