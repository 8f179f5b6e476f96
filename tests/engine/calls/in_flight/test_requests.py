"""How many requests a call makes: one, and `max_retries` more where that may help."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log
from inspect_ai.model import GenerateConfig
from tenacity import wait_none

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.prompts.prompts import one_message
from itemeval_assets.engine.calls.evaluate import evaluate
from itemeval_assets.engine.calls.in_flight.allowance import Allowance
from itemeval_assets.engine.calls.in_flight.turns import Turns
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.engine.calls.tasks import CallSettings, Target, build_task, make_sample
from tests.model_server import Answer, ModelServer, Request, error_answer, json_answer

PROVIDERS = ("openai-api/test/m", "openai/m", "anthropic/m")


class Provider:
    """Answers every request, of whatever API, with one error, and counts them."""

    def __init__(self) -> None:
        self.answer = error_answer(500, "not set")
        self.requests = 0


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    found = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            found.requests += 1
            self.send_response(found.answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(found.answer.body)))
            self.end_headers()
            self.wfile.write(found.answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name in ("TEST", "OPENAI", "ANTHROPIC"):
        path = "" if name == "ANTHROPIC" else "/v1"
        monkeypatch.setenv(f"{name}_BASE_URL", f"http://127.0.0.1:{server.server_port}{path}")
        monkeypatch.setenv(f"{name}_API_KEY", "sk-test")
    yield found
    server.shutdown()
    server.server_close()


def call(model: str, folder: Path, max_retries: int) -> str | None:
    """Make one call; its error."""
    resolved = RunModels().resolve(model, "solvers.models")
    resolved.api.retry_wait = wait_none  # type: ignore[method-assign]
    settings = CallSettings(
        use_cache=False, fresh=set(), allowance=Allowance(0.0, lambda *_: None), turns=Turns()
    )
    samples = {Cell("q", 1): (make_sample("q", one_message("1 + 1?"), "2", {}), 1)}
    target = Target("one", resolved, GenerateConfig(max_retries=max_retries, max_connections=1))
    [log] = evaluate([build_task(target, "one", samples, settings, {})], folder, retry_on_error=0)
    [sample] = read_eval_log(log.location).samples or []
    return sample.error.message if sample.error else None


@pytest.mark.parametrize(("max_retries", "status"), [(0, 429), (1, 500), (2, 503)])
@pytest.mark.parametrize("model", PROVIDERS)
def test_a_call_makes_one_request_and_max_retries_more(
    provider: Provider, tmp_path: Path, model: str, max_retries: int, status: int
) -> None:
    provider.answer = error_answer(status, "come back later")
    assert call(model, tmp_path, max_retries) is not None
    assert provider.requests == 1 + max_retries


def refusal(status: int, code: str, message: str) -> Answer:
    error = {"message": message, "type": code, "code": code}
    return json_answer(status, {"type": "error", "error": error})


PERMANENT = [
    refusal(429, "insufficient_quota", "You exceeded your current quota"),
    refusal(401, "invalid_api_key", "Incorrect API key provided"),
    refusal(403, "unsupported_country_region_territory", "Country not supported"),
    refusal(404, "model_not_found", "The model does not exist"),
    refusal(400, "context_length_exceeded", "maximum context length"),
    refusal(402, "payment_required", "Insufficient credits"),
    refusal(429, "billing_not_active", "Your account is not active"),
    refusal(503, "invalid_request_error", "Your credit balance is too low"),
]


@pytest.mark.parametrize(
    ("model", "answer"),
    [(PROVIDERS[0], answer) for answer in PERMANENT]
    + [(model, answer) for model in PROVIDERS[1:] for answer in (PERMANENT[0], PERMANENT[-1])],
)
def test_an_error_that_stays_the_same_is_not_repeated(
    provider: Provider, tmp_path: Path, model: str, answer: Answer
) -> None:
    provider.answer = answer
    call(model, tmp_path, max_retries=3)
    assert provider.requests == 1


def test_an_error_that_passes_is_repeated_until_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reply(request: Request) -> Answer | None:
        return error_answer(429, "slow down") if request.attempt < 3 else None

    with ModelServer(reply=reply) as server:
        monkeypatch.setenv("TEST_BASE_URL", server.base_url)
        monkeypatch.setenv("TEST_API_KEY", "sk-test")
        assert call(PROVIDERS[0], tmp_path, max_retries=3) is None
        assert server.count() == 3
