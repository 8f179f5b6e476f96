"""Spend: sums over the index of the logs, with what was saved and what has no price."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.core.money.spend import SAVED, Spend, spend_by, spend_by_model, total_spend
from tests.rows import STAMP, table

# Amounts that floats add up exactly, in any order.
USD = st.none() | st.integers(0, 1000).map(lambda quarters: quarters / 4)
COUNT = st.none() | st.integers(0, 1000)


def log(model: str = "mockllm/a", **values: Any) -> dict[str, Any]:
    return {
        "model": model,
        "stage": "generate",
        "total_samples": 4,
        "cached_samples": 0,
        "usd": 0.5,
        "total_tokens": 10,
        "priced": True,
        **dict.fromkeys(SAVED, 0.0),
        "created_at": STAMP,
        **values,
    }


def of_models(logs: list[dict[str, Any]]) -> list[Spend]:
    return spend_by_model(table("log_index", logs))


LOGS = st.lists(
    st.builds(
        log,
        model=st.sampled_from(["mockllm/a", "openai/b", "openai-api/groq/c"]),
        total_samples=COUNT,
        cached_samples=COUNT,
        usd=USD,
        priced=st.booleans(),
        **dict.fromkeys(SAVED, USD),
    ),
    max_size=6,
)


def test_spend_per_model_the_dearest_first() -> None:
    found = of_models(
        [
            log("openai/b", cached_samples=1, saved_by_response_cache_usd=0.25),
            log("openai-api/groq/c", usd=2.0, saved_by_batch_usd=1.0),
            log("openai/b", usd=0.25, saved_by_prompt_cache_usd=-0.125),
            log("mockllm/z", usd=0.0),
            log("mockllm/a", usd=0.0),
        ]
    )
    assert [(spend.provider, spend.model) for spend in found] == [
        ("openai-api/groq", "openai-api/groq/c"),
        ("openai", "openai/b"),
        ("mockllm", "mockllm/a"),
        ("mockllm", "mockllm/z"),
    ]
    assert found[1] == Spend("openai", "openai/b", 8, 1, 0.75, 0.25, -0.125, 0.0, total_tokens=20)
    assert [spend.list_usd for spend in found] == [3.0, 0.875, 0.0, 0.0]


def test_calls_without_a_price_are_counted_apart() -> None:
    unpriced = log(usd=None, priced=False, **dict.fromkeys(SAVED))
    [found] = of_models([unpriced, log(), log(total_samples=None, cached_samples=None)])
    assert found == Spend(
        "mockllm", "mockllm/a", calls=8, usd=1.0, unpriced_calls=4, total_tokens=30
    )


def test_free_is_what_answered_and_costs_nothing() -> None:
    free = {"usd": 0.0, "total_tokens": 10}
    logs = [
        log("a/free", **free),
        log("a/failed", usd=0.0, total_tokens=None),
        log("a/unpriced", usd=None, total_tokens=10),
        log("a/cached", usd=0.0, total_tokens=None, saved_by_response_cache_usd=0.25),
        log("a/paid"),
    ]
    assert [spend.model for spend in of_models(logs) if spend.is_free] == ["a/free"]


def test_nothing_was_spent() -> None:
    assert of_models([]) == []
    assert total_spend([]) == Spend("", "")
    assert spend_by(table("log_index"), ["stage"], lambda log: log["stage"], "model") == {}


def row_by_row(logs: list[dict[str, Any]]) -> list[Spend]:
    found: dict[str, Spend] = {}
    for one in logs:
        known = found.get(one["model"], Spend(provider_of(one["model"]), one["model"]))
        calls = one["total_samples"] or 0
        found[one["model"]] = known._replace(
            calls=known.calls + calls,
            cached=known.cached + (one["cached_samples"] or 0),
            usd=known.usd + (one["usd"] or 0.0),
            total_tokens=known.total_tokens + (one["total_tokens"] or 0),
            unpriced_calls=known.unpriced_calls + (calls if one["usd"] is None else 0),
            **{name: getattr(known, name) + (one[name] or 0.0) for name in SAVED},
        )
    return sorted(found.values(), key=lambda spend: (-spend.usd, spend.model))


@given(LOGS)
def test_columns_say_what_rows_say(logs: list[dict[str, Any]]) -> None:
    assert of_models(logs) == row_by_row(logs)


@given(LOGS)
def test_the_sum_over_models_is_the_sum_over_logs(logs: list[dict[str, Any]]) -> None:
    spends = of_models(logs)
    total = total_spend(spends)
    assert (total.provider, total.model) == ("", "")
    for name, column in {
        "calls": "total_samples",
        "cached": "cached_samples",
        "usd": "usd",
        **{name: name for name in SAVED},
    }.items():
        assert getattr(total, name) == sum(log[column] or 0 for log in logs)
    unpriced = [log["total_samples"] or 0 for log in logs if log["usd"] is None]
    assert total.unpriced_calls == sum(unpriced) <= total.calls
    assert total.list_usd == pytest.approx(sum(spend.list_usd for spend in spends))


def test_spend_by_a_name_and_a_column() -> None:
    logs = [
        log(stage="grade", created_at="2026-01-02T00:00:00Z"),
        log(),
        log("openai/b", usd=2.0),
        log(usd=None),
        log(usd=0.25, created_at="2026-01-01T23:00:00Z"),
    ]
    found = spend_by(
        table("log_index", logs), ["created_at"], lambda log: log["created_at"][:10], "model"
    )
    assert found == {
        "2026-01-02": {"mockllm/a": 0.5},
        "2026-01-01": {"mockllm/a": 0.75, "openai/b": 2.0},
    }
    assert list(found) == ["2026-01-02", "2026-01-01"]
