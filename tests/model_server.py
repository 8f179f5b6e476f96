"""A deterministic, OpenAI-compatible model server for tests; standard library only.

What a request meets depends on the seed, the model and the prompt alone, so the same
request has the same fate in every run and every process; only transient faults and the
prompt cache also look at what came before. In this process: `with ModelServer() as server:`
and `server.base_url`; in one of its own: `with server_process("--latency", "0.2") as
base_url:`, and later `read_counts(base_url)`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.anthropic_batches import AnthropicBatches
from tests.model_answers import (
    MALFORMED,
    Answer,
    Behaviour,
    Request,
    completion_answer,
    error_answer,
    json_answer,
    usual_answer,
    usual_content,
)
from tests.model_batches import Batches, Unheard

__all__ = [
    "MALFORMED",
    "Answer",
    "Behaviour",
    "ModelServer",
    "Request",
    "error_answer",
    "json_answer",
    "read_counts",
    "server_process",
    "usual_content",
]


TIMES = ("arrived_s", "answered_s")


class Gauge:
    """How many requests of each model are in flight, and the most that ever were at once."""

    def __init__(self) -> None:
        self._now: Counter[str | None] = Counter()  # None: all models together
        self._most: Counter[str | None] = Counter()

    def enter(self, model: str) -> None:
        for key in (model, None):
            self._now[key] += 1
            self._most[key] = max(self._most[key], self._now[key])

    def leave(self, model: str) -> None:
        for key in (model, None):
            self._now[key] -= 1

    def now(self) -> int:
        return self._now[None]

    def most(self, model: str | None = None) -> int:
        return self._most[model]

    def reset(self) -> None:
        self._most = self._now.copy()


class ModelServer:
    """The server on 127.0.0.1, as a context manager: it answers inside the block.

    `models` gives single models a behaviour of their own. `lists`: what GET /v1/models lists; null:
    there is no such page. `reply` takes over: it returns
    the content, or a whole Answer, or None to leave a request to the behaviour. A batch is
    ready `batches.seconds` after it is made, whatever the latency.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        models: Mapping[str, Behaviour] | None = None,
        reply: Callable[[Request], str | Answer | None] | None = None,
        lists: Sequence[str] | None = None,
        port: int = 0,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.models = dict(models or {})
        self.reply = reply
        self.lists = lists
        self.port = port  # 0: a free one, known inside the block
        self.requests: list[Request] = []  # chat requests in order of arrival
        self.batches = Batches(self._answer_batch)
        self.message_batches = AnthropicBatches(self._answer_batch, self.batches)
        self.stopping = threading.Event()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._answered_prefixes: set[tuple[str, str]] = set()
        self._gauge = Gauge()
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

    def most_at_once(self, model: str | None = None) -> int:
        """The most chat requests that were in flight together, from arrival to answer.

        Lines of a batch are in no flight.
        """
        return self._gauge.most(model)

    def in_flight(self) -> int:
        """Chat requests that have arrived and wait for their answers."""
        return self._gauge.now()

    def counts(self) -> dict[str, Any]:
        """What GET /counts gives to other processes."""
        totals = {"requests": self.count(), "distinct": self.distinct()}
        totals |= {"most_at_once": self.most_at_once()}
        by_model = Counter(request.model for request in self.requests)
        by_status = Counter(str(request.status) for request in self.requests)
        by = {"by_model": by_model, "by_status": by_status}
        times = {name: [getattr(r, name) for r in self.requests] for name in TIMES}
        return totals | {"answered": self.answered} | by | times

    def reset_counts(self) -> None:
        """Forget the requests, but not the attempts, nor the prompt cache.

        A transient fault past stays past.
        """
        with self._lock:
            self.requests = []
            self._gauge.reset()

    @contextmanager
    def exchange(self, payload: Mapping[str, Any]) -> Iterator[tuple[Request, Answer]]:
        """Receive a chat request that is in flight until the block ends."""
        model = str(payload["model"])
        with self._lock:
            self._gauge.enter(model)
        try:
            yield self.receive(payload)
        finally:
            with self._lock:
                self._gauge.leave(model)

    def receive(self, payload: Mapping[str, Any], *, batch: bool = False) -> tuple[Request, Answer]:
        """Record a chat request and decide on its answer."""
        model, prompt = str(payload["model"]), _prompt_text(payload["messages"])
        behaviour = self._behaviour_of(model)
        schema = (payload.get("response_format") or {}).get("type") == "json_schema"
        with self._lock:
            self._attempts[model, prompt] += 1
            request = Request(model, prompt, attempt=self._attempts[model, prompt])
            request.arrived_s = time.monotonic()
            request.temperature = payload.get("temperature")
            request.has_response_format = schema
            request.stream = bool(payload.get("stream"))
            request.batch = batch
            request.messages = payload["messages"]
            request.routing = payload.get("provider")
            request.cached_tokens = self._cached_tokens(request, behaviour)
            self.requests.append(request)
        answer = self._decide(request, behaviour)
        request.status = answer.status
        return request, answer

    def deliver(self, request: Request) -> None:
        """Note that the answer to a request is on its way."""
        reach = 4 * self._behaviour_of(request.model).cache_prefix_tokens
        with self._lock:
            request.delivered, request.answered_s = True, time.monotonic()
            if request.status == 200:
                self._answered_prefixes.add((request.model, request.prompt[:reach]))

    def _behaviour_of(self, model: str) -> Behaviour:
        return self.models.get(model, self.behaviour)

    def _cached_tokens(self, request: Request, behaviour: Behaviour) -> int:
        tokens = behaviour.cache_prefix_tokens
        if not tokens:
            return min(behaviour.cached_tokens, request.prompt_tokens)
        is_known = (request.model, request.prompt[: 4 * tokens]) in self._answered_prefixes
        return min(tokens, request.prompt_tokens) if is_known else 0

    def _answer_batch(self, payloads: Sequence[Mapping[str, Any]]) -> list[tuple[int, bytes]]:
        received = [self.receive(payload, batch=True) for payload in payloads]
        for request, _ in received:
            self.deliver(request)
        return [(answer.status, answer.body) for _, answer in received]

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
        if self.path == "/v1/models" and self.owner.lists is not None:
            models = [{"id": n, "object": "model", "created": 0} for n in self.owner.lists]
            self._send(json_answer(200, {"object": "list", "data": models}))
        elif self.path == "/counts":
            self._send(json_answer(200, self.owner.counts()))
        else:
            found = self.owner.batches.get(self.path)
            host = self.headers.get("Host", "")
            self._send(self._found(found or self.owner.message_batches.get(self.path, host)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            answer = self._answer_to(body)
        except Unheard:
            answer = None
        except Exception as error:
            # clients retry a dropped connection for ever; a 400 shows the mistake
            answer = error_answer(400, f"bad request or hook: {error!r}")
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    def _answer_to(self, body: bytes) -> Answer | None:
        if self.path == "/v1/chat/completions":
            return self._chat(json.loads(body))
        content_type, host = self.headers.get("Content-Type", ""), self.headers.get("Host", "")
        found = self.owner.batches.post(self.path, content_type, body)
        return self._found(found or self.owner.message_batches.post(self.path, body, host))

    def _chat(self, payload: Mapping[str, Any]) -> Answer | None:
        """The answer to a chat request, when it is due; None if nobody waits for it any more."""
        with self.owner.exchange(payload) as (request, answer):
            if self.owner.stopping.wait(answer.delay_s) or self._client_left():
                return None
            self.owner.deliver(request)  # first: whoever reads the answer finds it counted
            return answer

    def _client_left(self) -> bool:
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        try:
            return self.connection.recv(1, flags) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True

    def _found(self, content: bytes | None) -> Answer:
        missing = error_answer(404, f"unknown path {self.path}")
        return missing if content is None else Answer(200, content)

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
