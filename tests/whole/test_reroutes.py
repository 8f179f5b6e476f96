"""Replies at OpenRouter that are no answers: the call is made again, without who failed it."""

import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from tests.model_answers import completion_answer
from tests.model_server import (
    Answer,
    Behaviour,
    ModelServer,
    Request,
    error_answer,
    usual_content,
)
from tests.studies import write_study

from .conftest import Serve
from .looking import PRICE, assert_reconciled, rows

MODEL = "openrouter/z-ai/glm-5.1"
PROVIDERS = ("Broken", "Filtering", "Sound")
REASONS = {"Broken": "error", "Filtering": "content_filter", "Sound": "stop"}


def routed(request: Request) -> Answer:
    """The reply of the first provider that is not left out."""
    left_out = (request.routing or {}).get("ignore", ())
    name = next((one for one in PROVIDERS if one not in left_out), None)
    if name is None:
        return error_answer(404, "No allowed providers are available for the selected model.")
    return reply_of(name, request)


def reply_of(name: str, request: Request) -> Answer:
    """The reply of a provider."""
    reply = json.loads(completion_answer(request, usual_content(request), Behaviour()).body)
    reply["provider"] = name
    reply["choices"][0]["finish_reason"] = REASONS.get(name, "stop")
    return Answer(200, json.dumps(reply).encode())


@pytest.fixture
def router(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    server = serve(reply=routed)
    monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-of-the-test")
    return server


def declare(folder: Path, **solvers: Any) -> Path:
    (folder / "prices.json").write_text(json.dumps({"models": {MODEL: PRICE}}))
    budget = {"pricing_path": "prices.json"}
    return write_study(
        folder,
        models=[MODEL],
        graders=[],
        items=2,
        solvers={"max_tokens": 100, **solvers},
        extra={"budget": budget},
    )


def test_a_reply_that_is_no_answer_is_asked_for_elsewhere(
    tmp_path: Path, router: ModelServer
) -> None:
    config = declare(tmp_path, max_reroutes=2, provider_routing={"ignore": ["Mine"]})
    ceiling = api.estimate(config).remaining
    once = api.estimate(declare(tmp_path)).remaining
    assert (ceiling.calls, ceiling.usd) == (2, pytest.approx(3 * once.usd))
    config = declare(tmp_path, max_reroutes=2, provider_routing={"ignore": ["Mine"]})

    summary = api.run(config)
    assert (summary.calls, summary.errored) == (2, 0)
    asked = [(request.routing or {})["ignore"] for request in router.requests]
    assert sorted(asked, key=len) == [
        *[["Mine"]] * 2,
        *[["Mine", "Broken"]] * 2,
        *[["Mine", "Broken", "Filtering"]] * 2,
    ]
    solutions = rows(config, "solutions")
    for row in solutions:
        assert (row["served_provider"], row["reroutes"]) == ("Sound", 2)
        assert row["stop_reason"] == "stop" and "ANSWER:" in row["solution"]
        tokens = row["input_tokens"] * PRICE["input_usd_per_mtok"]
        tokens += row["output_tokens"] * PRICE["output_usd_per_mtok"]
        assert row["usd"] == pytest.approx(tokens / 1e6)
    sent = sum(request.prompt_tokens for request in router.requests)
    assert sum(row["input_tokens"] for row in solutions) == sent
    assert_reconciled(config)
    assert api.run(config).calls == 0


@pytest.mark.parametrize(("most", "requests", "last"), [(None, 2, "Broken"), (1, 4, "Filtering")])
def test_the_last_reply_stays_as_it_is_where_no_more_is_allowed(
    tmp_path: Path, router: ModelServer, most: int | None, requests: int, last: str
) -> None:
    config = declare(tmp_path, max_reroutes=most)
    api.run(config)
    assert router.count() == requests
    for row in rows(config, "solutions"):
        assert (row["served_provider"], row["reroutes"]) == (last, most or 0)
        assert row["stop_reason"] == ("unknown" if last == "Broken" else "content_filter")


def test_a_condition_that_two_providers_have_answered_is_told(
    tmp_path: Path, router: ModelServer
) -> None:
    turns = cycle(("East", "West"))
    router.reply = lambda request: reply_of(next(turns), request)
    config = declare(tmp_path)
    api.run(config)
    [note] = api.status(config).notes
    assert "the replies are of 2 models or providers, as they say themselves: " in note
    assert " by East (1), " in note and " by West (1)." in note


def test_where_nobody_else_is_left_the_last_reply_stays(
    tmp_path: Path, router: ModelServer
) -> None:
    config = declare(tmp_path, max_reroutes=9, provider_routing={"ignore": ["Sound"]})
    assert api.run(config).errored == 0
    assert router.count() == 6
    for row in rows(config, "solutions"):
        assert (row["served_provider"], row["reroutes"]) == ("Filtering", 1)
        assert row["stop_reason"] == "content_filter"
    assert_reconciled(config)
