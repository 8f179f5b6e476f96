"""A deterministic, OpenAI-compatible model server for tests; standard library only.

What a request meets depends on the seed, the model and the prompt alone, so the same
request has the same fate in every run and every process; only transient faults also look
at the attempt. In this process: `with ModelServer() as server:` and `server.base_url`;
in one of its own: `with server_process("--latency", "0.2") as base_url:`, and later
`read_counts(base_url)`.
"""

import argparse
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

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
    status: int = 0  # the HTTP status decided on
    delivered: bool = False  # false while it waits, and for ever if the client left


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
    """A success, streamed if the request says so; four characters make a token."""
    prompt_tokens = len(request.prompt) // 4 + 1
    completion_tokens = len(content) // 4 + behaviour.reasoning_tokens
    cached_tokens = min(behaviour.cached_tokens, prompt_tokens)
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": cached_tokens},
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


class ModelServer:
    """The server on 127.0.0.1, as a context manager: it answers inside the block.

    `models` gives single models a behaviour of their own. `reply` takes over: it returns
    the content, or a whole Answer, or None to leave a request to the behaviour.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        models: Mapping[str, Behaviour] | None = None,
        reply: Callable[[Request], str | Answer | None] | None = None,
        port: int = 0,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.models = dict(models or {})
        self.reply = reply
        self.port = port  # 0: a free one, known inside the block
        self.requests: list[Request] = []  # chat requests in order of arrival
        self.stopping = threading.Event()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._http = _HttpServer(("127.0.0.1", self.port), partial(_Handler, self))
        self.port = self._http.server_port
        # at the default poll interval every stop would take half a second
        serve = partial(self._http.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def base_url(self) -> str:
        """The base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def answered(self) -> int:
        """Answers with status 200, malformed ones too, to clients that still waited."""
        return sum(r.status == 200 and r.delivered for r in self.requests)

    def count(self, model: str | None = None) -> int:
        """Chat requests that arrived, for one model if given."""
        return sum(model in (None, request.model) for request in self.requests)

    def distinct(self) -> int:
        """Different (model, prompt) pairs among the requests."""
        return len({(request.model, request.prompt) for request in self.requests})

    def counts(self) -> dict[str, Any]:
        """What GET /counts gives to other processes."""
        totals = {"requests": self.count(), "distinct": self.distinct()}
        by_model = Counter(request.model for request in self.requests)
        by_status = Counter(str(request.status) for request in self.requests)
        by = {"by_model": by_model, "by_status": by_status}
        return totals | {"answered": self.answered} | by

    def reset_counts(self) -> None:
        """Forget the requests, not the attempts: a transient fault past stays past."""
        self.requests = []

    def receive(self, payload: Mapping[str, Any]) -> tuple[Request, Answer]:
        """Record a chat request and decide on its answer."""
        model, prompt = str(payload["model"]), _prompt_text(payload["messages"])
        schema = (payload.get("response_format") or {}).get("type") == "json_schema"
        with self._lock:
            self._attempts[model, prompt] += 1
            request = Request(model, prompt, attempt=self._attempts[model, prompt])
            request.temperature = payload.get("temperature")
            request.has_response_format = schema
            request.stream = bool(payload.get("stream"))
            self.requests.append(request)
        answer = self._decide(request, self.models.get(model, self.behaviour))
        request.status = answer.status
        return request, answer

    def _decide(self, request: Request, behaviour: Behaviour) -> Answer:
        answer = self.reply(request) if self.reply else None
        if answer is None:
            answer = usual_answer(request, behaviour)
        elif isinstance(answer, str):
            answer = completion_answer(request, answer, behaviour)
        return replace(answer, delay_s=answer.delay_s + behaviour.latency_s)


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 1024  # an evaluation opens its connections all at once

    def handle_error(self, request: Any, client_address: Any) -> None:
        # a client that gave up or was killed is what a test wanted, not news
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open between requests
    wbufsize = -1  # head and body in one packet: else delayed ACKs cost 40 ms each

    def __init__(self, owner: ModelServer, *args: Any) -> None:
        self.owner = owner
        super().__init__(*args)

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            names = ("test-model", *self.owner.models)
            models = [{"id": n, "object": "model", "created": 0} for n in names]
            self._send(json_answer(200, {"object": "list", "data": models}))
        elif self.path == "/counts":
            self._send(json_answer(200, self.owner.counts()))
        else:
            self._send(error_answer(404, f"unknown path {self.path}"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            return self._send(error_answer(404, f"unknown path {self.path}"))
        try:
            request, answer = self.owner.receive(json.loads(body))
        except Exception as error:
            # clients retry a dropped connection for ever; a 400 shows the mistake
            return self._send(error_answer(400, f"bad request or hook: {error!r}"))
        if self.owner.stopping.wait(answer.delay_s) or self._client_left():
            self.close_connection = True
            return None
        request.delivered = True  # first: whoever reads the answer finds it counted
        return self._send(answer)

    def _client_left(self) -> bool:
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        try:
            return self.connection.recv(1, flags) == b""
        except BlockingIOError:
            return False

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _prompt_text(messages: list[dict[str, Any]]) -> str:
    texts: list[str] = []
    for content in (message.get("content") or "" for message in messages):
        parts = [{"text": content}] if isinstance(content, str) else content
        texts.extend(part.get("text", "") for part in parts)
    return "\n".join(texts)


@contextmanager
def server_process(*flags: str) -> Iterator[str]:
    """A server in its own process, started with the flags of main(); its base URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.model_server", *flags],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def read_counts(base_url: str) -> dict[str, Any]:
    """The counts of a server in any process."""
    with urllib.request.urlopen(f"{base_url.removesuffix('/v1')}/counts") as reply:
        return json.load(reply)


def main(argv: list[str] | None = None) -> None:
    """Print the base URL, then serve until stdin closes or --max-seconds are over."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--max-seconds", type=float, default=600.0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--behaviour", type=json.loads, default={}, help="JSON object")
    parser.add_argument("--models", type=json.loads, default={}, help="JSON, by model")
    args = parser.parse_args(argv)
    behaviour = Behaviour(**{"latency_s": args.latency} | args.behaviour)
    models = {name: Behaviour(**own) for name, own in args.models.items()}
    with ModelServer(behaviour, models=models, port=args.port) as server:
        print(server.base_url, flush=True)
        closed = threading.Thread(target=_read_to_end, daemon=True)
        closed.start()
        closed.join(args.max_seconds)


def _read_to_end() -> None:
    # os.read holds no lock that the interpreter would want at its end
    while os.read(sys.stdin.fileno(), 4096):
        pass


if __name__ == "__main__":
    main()
