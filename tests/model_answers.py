"""What the model server answers: a function of the seed, the model, the prompt and the attempt."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = [
    "MALFORMED",
    "Answer",
    "Behaviour",
    "Request",
    "completion_answer",
    "draw",
    "error_answer",
    "json_answer",
    "usual_answer",
    "usual_content",
]

FAULTS = ("permanent", "transient", "malformed", "blank", "prose", "hang")
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
MALFORMED = {
    "text": ("application/json", b"upstream connect error or disconnect"),
    "truncated": ("application/json", b'{"id": "chatcmpl-1", "choices": [{"index'),
    "html": ("text/html", b"<html><body><h1>Bad Gateway</h1></body></html>"),
}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a model answers; each fault is a share of the (model, prompt) pairs."""

    seed: int = 0
    latency_s: float = 0.0  # before every answer
    permanent: float = 0.0  # an error at every attempt
    permanent_status: int = 400
    transient: float = 0.0  # an error at the first attempts, then a success
    transient_attempts: int = 1
    transient_statuses: tuple[int, ...] = (429, 500)  # a pair keeps to one of them
    malformed: float = 0.0  # HTTP 200 with a body that is no completion
    malformed_kinds: tuple[str, ...] = tuple(MALFORMED)  # a pair keeps to one of them
    blank: float = 0.0  # the content is ""
    prose: float = 0.0  # a judge replies without JSON; solvers are not touched
    hang: float = 0.0  # the usual answer, hang_s later
    hang_s: float = 30.0
    cached_tokens: int = 0  # a part of prompt_tokens, so never more
    # prompts that begin like one answered before, this far, report so many cached tokens
    cache_prefix_tokens: int = 0  # above 0, in place of cached_tokens
    reasoning_tokens: int = 0  # added to completion_tokens

    def fault(self, model: str, prompt: str) -> str | None:
        """The fault that this pair meets, or None."""
        point = draw(self.seed, model, prompt)
        for fault in FAULTS:
            point -= getattr(self, fault)
            if point < 0:
                return fault
        return None


@dataclass
class Request:
    """A chat request as it arrived, and what became of it."""

    model: str
    prompt: str  # the texts of all messages, joined by line breaks
    attempt: int  # 1 for the first request with this model and prompt
    temperature: float | None = None
    has_response_format: bool = False  # of type json_schema
    stream: bool = False
    batch: bool = False  # a line of a batch
    messages: Sequence[Mapping[str, Any]] = ()  # as they were sent, each with role and content
    routing: Mapping[str, Any] | None = None  # options of OpenRouter on who answers
    cached_tokens: int = 0  # those of its prompt that a completion reports as cached
    status: int = 0  # the HTTP status decided on
    delivered: bool = False  # false while it waits, and for ever if the client left
    arrived_s: float = 0.0  # by the clock that all processes of a machine share
    answered_s: float = 0.0

    @property
    def prompt_tokens(self) -> int:
        """Four characters make a token."""
        return len(self.prompt) // 4 + 1


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, sent `delay_s` seconds after the latency of its model."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def json_answer(status: int, content: object, **headers: str) -> Answer:
    """An answer with this JSON content."""
    return Answer(status, json.dumps(content).encode(), headers=headers)


def error_answer(status: int, message: str) -> Answer:
    """An error in OpenAI's form; a 429 asks the client to come back at once."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"message": message, "type": kind, "code": CODES.get(status), "param": None}
    headers = {"Retry-After": "0"} if status == 429 else {}
    return json_answer(status, {"error": error}, **headers)


def completion_answer(request: Request, content: str, behaviour: Behaviour) -> Answer:
    """A success, streamed if the request says so."""
    completion_tokens = len(content) // 4 + behaviour.reasoning_tokens
    usage = {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": request.prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": request.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": behaviour.reasoning_tokens},
    }
    base = {"id": "chatcmpl-test", "created": 0, "model": request.model}
    if request.stream:
        events = _event_stream(base, content, usage)
        return Answer(200, events, "text/event-stream")
    message = {"role": "assistant", "content": content}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    reply = {"object": "chat.completion", "choices": choices, "usage": usage}
    return json_answer(200, base | reply)


def _event_stream(base: dict[str, Any], content: str, usage: dict[str, Any]) -> bytes:
    half = len(content) // 2
    start = {"role": "assistant", "content": content[:half]}
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in ((start, None), ({"content": content[half:]}, "stop"))
    ]
    events.append({"choices": [], "usage": usage})
    base = base | {"object": "chat.completion.chunk"}
    lines = [*(json.dumps(base | event) for event in events), "[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def usual_content(request: Request) -> str:
    """Bare JSON where a schema was sent, fenced for a judge prompt, else a solution."""
    point = draw(request.model, request.prompt)
    verdict = json.dumps({"score": round(point, 2), "reasoning": "Compared by value."})
    if request.has_response_format:
        return verdict
    if '"score"' in request.prompt:
        return f"I compared the two answers.\n\n```json\n{verdict}\n```"
    return f"I restate the problem. Then I solve it.\n\nANSWER: {int(point * 100)}"


def usual_answer(request: Request, behaviour: Behaviour) -> Answer:
    """What the rules of a behaviour say: a fault, or the usual content."""
    fault = behaviour.fault(request.model, request.prompt)
    pick = draw("pick", behaviour.seed, request.model, request.prompt)
    if fault == "permanent":
        return error_answer(behaviour.permanent_status, "refused by the test server")
    if fault == "transient" and request.attempt <= behaviour.transient_attempts:
        statuses = behaviour.transient_statuses
        return error_answer(statuses[int(pick * len(statuses))], "come back later")
    if fault == "malformed":
        kinds = behaviour.malformed_kinds
        content_type, body = MALFORMED[kinds[int(pick * len(kinds))]]
        return Answer(200, body, content_type)
    content = "" if fault == "blank" else usual_content(request)
    if fault == "prose" and '"score"' in content:
        content = "Mostly right, but I would rather not put a number on it."
    answer = completion_answer(request, content, behaviour)
    return replace(answer, delay_s=behaviour.hang_s) if fault == "hang" else answer
