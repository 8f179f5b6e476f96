"""A real S3 server on 127.0.0.1 for tests: moto's, one request at a time.

Compare-and-swap is a promise of S3. moto checks a condition and then writes, so that two
requests at once could both pass: here requests queue. Faults can be injected: the next
requests fail with a status, or everything takes longer.
"""

import io
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import get_input_stream

__all__ = ["Faults", "S3Server", "empty_bucket", "s3_server"]

ERROR = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>injected</Message></Error>"
CODES = {500: b"InternalError", 503: b"SlowDown"}


@dataclass
class Faults:
    """What goes wrong: the statuses of the next requests, and how long each answer takes at least.

    `lost`: ends of keys, each of a PUT that is carried out next, and whose answer gets lost.
    `seen` are the requests, `asked_first` those that waited to be told to send their object, and
    `sent` counts how often each version of an object was sent whole.
    """

    statuses: list[int] = field(default_factory=list)
    delay_s: float = 0.0
    lost: list[str] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    asked_first: list[str] = field(default_factory=list)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class S3Server:
    """The running server. `requests` counts what it has been asked."""

    endpoint: str
    faults: Faults

    @property
    def requests(self) -> int:
        return len(self.faults.seen)


class _OneAtATime:
    def __init__(self, app: Callable[..., Iterable[bytes]], faults: Faults) -> None:
        self._app, self._faults, self._turn = app, faults, threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        due = time.monotonic() + self._faults.delay_s
        try:
            return self._answer(environ, start)
        finally:
            time.sleep(max(0.0, due - time.monotonic()))

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        # A client that is stopped in the middle of its request holds nobody else up.
        environ["wsgi.input"] = io.BytesIO(get_input_stream(environ).read())
        with self._turn:
            self._faults.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            if "HTTP_EXPECT" in environ:
                self._faults.asked_first.append(environ["PATH_INFO"])
            if self._faults.statuses:
                status = self._faults.statuses.pop(0)
                start(f"{status} Injected", [("Content-Type", "application/xml")])
                return [ERROR % CODES[status]]
            answer = list(self._app(environ, self._counting(environ, start)))
            if environ["REQUEST_METHOD"] == "PUT" and self._is_lost(environ["PATH_INFO"]):
                start("500 Injected", [("Content-Type", "application/xml")], sys.exc_info())
                return [ERROR % CODES[500]]
            return answer

    def _is_lost(self, path: str) -> bool:
        found = next((end for end in self._faults.lost if path.endswith(end)), None)
        if found is not None:
            self._faults.lost.remove(found)
        return found is not None

    def _counting(self, environ: dict[str, Any], start: Callable[..., Any]) -> Callable[..., Any]:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            etag = {name.lower(): value for name, value in headers}.get("etag")
            if etag and environ["REQUEST_METHOD"] == "GET" and status.startswith("200"):
                self._faults.sent[environ["PATH_INFO"], etag] += 1
            return start(status, headers, *rest)

        return begin


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing of each request."""


@contextmanager
def s3_server(port: int = 0) -> Iterator[S3Server]:
    """Serve an empty S3 while the block runs."""
    faults = Faults()
    app = _OneAtATime(DomainDispatcherApplication(create_backend_app), faults)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield S3Server(f"http://127.0.0.1:{server.server_port}", faults)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def empty_bucket(name: str) -> None:
    """A bucket without objects, on the server of the environment."""
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=name)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=name, Key=entry["Key"])
