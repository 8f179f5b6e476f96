"""A webhook on this machine, and the sensors that tell it, tick by tick."""

import http.server
import json
from typing import Any

import dagster as dg

from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.defs.runs import Runs
from tests.ticks import ticked

__all__ = ["CHECKS", "RECOVERIES", "RUNS", "SECRET", "SPEND", "Receiver", "Ticks"]

RUNS, CHECKS = "itemeval_assets_failed_runs", "itemeval_assets_failed_checks"
RECOVERIES, SPEND = "itemeval_assets_recoveries", "itemeval_assets_spend"
SECRET = "T0/B0/do-not-tell"


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook on this machine, which keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/{SECRET}"

    @property
    def told(self) -> list[str]:
        return [body["text"] for _, _, body in self.requests]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append((self.path, self.headers["Content-Type"], body))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Ticks:
    """Sensors of a study, with their cursors, as the daemon keeps them."""

    def __init__(
        self, runs: Runs, url: str, names: tuple[str, ...] = (RUNS, CHECKS), **settings: str
    ) -> None:
        given = Settings(webhook_url=url, **settings)  # type: ignore[arg-type]
        self.definitions = build_definitions(given, [runs.study])
        self.instance, self.names = runs.instance, names
        self.cursors: dict[str, str | None] = {}
        self()  # they start with what happens from here on

    def __call__(self) -> None:
        for name in self.names:
            sensor = self.definitions.resolve_sensor_def(name)
            context = dg.build_sensor_context(
                self.instance, self.cursors.get(name), definitions=self.definitions
            )
            self.cursors[name] = ticked(sensor, context).cursor
