"""Prompts that share their head: one call goes first, the others read it from the cache."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from tests.model_server import Answer, Behaviour, ModelServer, Request, error_answer
from tests.studies import write_study

from .conftest import Serve
from .looking import PRICE, assert_reconciled, rows, write_prices

ITEMS, REPLICATIONS = 3, 3
HEAD_TOKENS = 1024
LONG = "Take every step of the argument on its own, and weigh it. " * 100
PROMPT = f"Problem {{id}}: {{input}}\n{LONG}\nEnd with `ANSWER: <number>`.\n"
RUBRIC = f"Problem {{id}}: {{input}}\n{LONG}\nSolution: {{solution}}\n"
# Slow enough for calls that nobody holds back to be on their way together.
SLOW = Behaviour(cache_prefix_tokens=HEAD_TOKENS, latency_s=0.5)


def declare(folder: Path, **changes: Any) -> Path:
    """Two solvers with short prompts, and a judge with a long rubric; all over an item alike."""
    budget = {"pricing_path": write_prices(folder, "a", "b", "judge")}
    given = {
        "models": ["openai-api/test/a", "openai-api/test/b"],
        "graders": ["openai-api/test/judge"],
        "scorer": None,
        "items": ITEMS,
        "replications": REPLICATIONS,
        **changes,
    }
    extra = {"cache": False, "budget": {**budget, **given.pop("budget", {})}}
    config = write_study(folder, **given, extra=extra)
    (folder / "rubrics" / "strict.md").write_text(RUBRIC)
    return config


def declare_solvers(folder: Path, **changes: Any) -> Path:
    """One solver with a long prompt, the same for all replications of an item."""
    config = declare(folder, **{"models": ["openai-api/test/a"], **changes})
    (folder / "prompts" / "solver" / "short.md").write_text(PROMPT)
    return config


def distinct_replies(request: Request) -> str | None:
    """A new solution at every call, as of a model with a temperature."""
    if request.model == "judge":
        return None
    return f"Attempt {request.attempt} of {request.model}.\nANSWER: {request.attempt}"


def test_judges_read_all_but_one_head_per_item_from_the_cache(tmp_path: Path, serve: Serve) -> None:
    server = serve(SLOW, reply=distinct_replies)
    config = declare(tmp_path)
    api.run(config)
    calls = 2 * ITEMS * REPLICATIONS
    assert server.count("judge") == len({request.prompt for request in judged(server)}) == calls
    assert uncached(judged(server)) == {"q1": 1, "q2": 1, "q3": 1}
    read = HEAD_TOKENS * (calls - ITEMS)
    booked = [row for row in rows(config, "ledger") if row["stage"] == "grade"]
    assert sum(row["cache_read_tokens"] for row in booked) == read
    index = [log for log in rows(config, "log_index") if log["stage"] == "grade"]
    saved = sum(log["saved_by_prompt_cache_usd"] for log in index)
    cheaper = PRICE["input_usd_per_mtok"] - PRICE["cache_read_usd_per_mtok"]
    assert saved == pytest.approx(read * cheaper / 1e6)
    assert_reconciled(config)


@pytest.mark.long
def test_without_the_schedule_heads_are_paid_for_again_and_again(
    tmp_path: Path, serve: Serve
) -> None:
    usd = {}
    for schedule in ("auto", "off"):
        server = serve(SLOW, reply=distinct_replies)
        config = declare(tmp_path / schedule, budget={"cache_schedule": schedule})
        usd[schedule] = api.run(config).usd
        assert (uncached(judged(server)).total() > ITEMS) == (schedule == "off")
        assert_reconciled(config)
    assert usd["auto"] < usd["off"]


@pytest.mark.parametrize(
    "cache_prompt", ["auto", pytest.param("on", marks=pytest.mark.long), "off"]
)
def test_replications_share_their_whole_prompt(
    tmp_path: Path, serve: Serve, cache_prompt: str
) -> None:
    server = serve(SLOW)
    config = declare_solvers(tmp_path, solvers={"cache_prompt": cache_prompt})
    api.run(config, only="solutions")
    assert server.count() == ITEMS * REPLICATIONS
    paid = uncached(server.requests)
    if cache_prompt == "off":
        assert paid.total() > ITEMS
    else:
        assert paid == {"q1": 1, "q2": 1, "q3": 1}
        [log] = rows(config, "log_index")
        assert log["cache_read_tokens"] == HEAD_TOKENS * ITEMS * (REPLICATIONS - 1)
        assert log["saved_by_prompt_cache_usd"] > 0
    assert_reconciled(config)


def test_a_price_without_a_discount_holds_nobody_back(tmp_path: Path, serve: Serve) -> None:
    server = serve(SLOW)
    (tmp_path / "no_discount.json").write_text(
        '{"models": {"openai-api/test/a": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}}'
    )
    config = declare_solvers(tmp_path, budget={"pricing_path": "no_discount.json"})
    api.run(config, only="solutions")
    assert uncached(server.requests).total() > ITEMS


@pytest.mark.parametrize("connections", [None, pytest.param(1, marks=pytest.mark.long)])
def test_a_first_call_that_fails_holds_nobody_back(
    tmp_path: Path, serve: Serve, connections: int | None
) -> None:
    failed: set[str] = set()

    def reply(request: Request) -> Answer | str | None:
        item = item_of(request)
        if request.model == "judge" and item not in failed:
            failed.add(item)
            return error_answer(400, "not now")
        return distinct_replies(request)

    serve(Behaviour(latency_s=0.1), reply=reply)
    solvers = {"max_retries": 0, "max_connections": connections}
    config = declare(tmp_path, models=["openai-api/test/a"], solvers=solvers)
    api.run(config)
    gradings = rows(config, "gradings")
    assert len(gradings) == ITEMS * REPLICATIONS
    assert Counter(row["item_id"] for row in gradings if row["error"]) == {
        "q1": 1,
        "q2": 1,
        "q3": 1,
    }
    assert all(row["parse_ok"] for row in gradings if not row["error"])
    assert_reconciled(config)


def judged(server: ModelServer) -> list[Request]:
    return [request for request in server.requests if request.model == "judge"]


def item_of(request: Request) -> str:
    """The item that a prompt of this module or of `write_study` is about."""
    found = re.search(r"What is (\d+) \+", request.prompt)
    assert found
    return f"q{found[1]}"


def uncached(requests: Iterable[Request]) -> Counter[str]:
    """How many requests of each item had nothing to read from the cache."""
    return Counter(item_of(request) for request in requests if not request.cached_tokens)
