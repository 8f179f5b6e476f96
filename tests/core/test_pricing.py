"""Prices: what calls cost, and what is not known."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.pricing import MOCK_PRICE, Price, PriceBook, cost_usd, parse_price_file

COUNT = st.none() | st.integers(0, 10**9)
TOKENS = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": COUNT,
        "output_tokens": COUNT,
        "cache_read_tokens": COUNT,
        "cache_write_tokens": COUNT,
        "total_tokens": COUNT,
        "reasoning_tokens": COUNT,
    },
)
RATE = st.floats(0, 1000)
PRICE = st.builds(
    Price,
    input_usd_per_mtok=RATE,
    output_usd_per_mtok=RATE,
    cache_read_usd_per_mtok=st.none() | RATE,
    cache_write_usd_per_mtok=st.none() | RATE,
)
OWN = Price(input_usd_per_mtok=1, output_usd_per_mtok=10)


def test_cost() -> None:
    price = Price(
        input_usd_per_mtok=1,
        output_usd_per_mtok=10,
        cache_read_usd_per_mtok=0.1,
        cache_write_usd_per_mtok=2,
    )
    tokens = {
        "input_tokens": 1_000_000,
        "output_tokens": 500_000,
        "cache_read_tokens": 2_000_000,
        "cache_write_tokens": 250_000,
        "total_tokens": 3_750_000,
        "reasoning_tokens": 400_000,  # part of the output
    }
    assert cost_usd(price, tokens) == pytest.approx(1 + 5 + 0.2 + 0.5)


def test_cached_tokens_cost_as_much_as_others_where_no_rate_is_known() -> None:
    assert cost_usd(OWN, {"cache_read_tokens": 10**6, "cache_write_tokens": 10**6}) == 2.0


@given(PRICE, st.lists(TOKENS, max_size=5))
def test_the_price_of_a_sum_is_the_sum_of_the_prices(
    price: Price, calls: list[dict[str, int | None]]
) -> None:
    names = {name for tokens in calls for name in tokens}
    total: dict[str, int | None] = {
        name: sum(tokens.get(name) or 0 for tokens in calls) for name in names
    }
    each = sum(cost_usd(price, tokens) for tokens in calls)
    assert cost_usd(price, total) == pytest.approx(each, rel=1e-9, abs=1e-9)


def test_no_tokens_cost_nothing() -> None:
    assert cost_usd(OWN, {"input_tokens": None}) == 0.0


def test_mock_models_have_a_price() -> None:
    assert PriceBook().price_of("mockllm/anything") == MOCK_PRICE
    assert PriceBook().usd("mockllm/a", {"input_tokens": 10**6}) == MOCK_PRICE.input_usd_per_mtok


@pytest.mark.parametrize(
    "model",
    ["openai/gpt-4o", "anthropic/claude-3-5-sonnet-latest", "google/gemini-2.0-flash"],
)
def test_published_prices_are_known_offline(model: str) -> None:
    price = PriceBook().price_of(model)
    assert price is not None
    assert 0 < price.input_usd_per_mtok < price.output_usd_per_mtok


@pytest.mark.parametrize(
    "model",
    [
        "openai/no-such-model-at-all",
        "nobody/gpt-4o",
        "ollama/llama3.1",
        "vllm/meta-llama/Llama-3.1-8B",
        "openai-api/local/gpt-4o",
        "hf/org/model",
    ],
)
def test_what_nobody_publishes_has_no_price(model: str) -> None:
    book = PriceBook()
    assert book.price_of(model) is None
    assert book.usd(model, {"input_tokens": 5}) is None


def test_the_studys_own_prices_go_first() -> None:
    book = PriceBook({"openai/gpt-4o": OWN, "mockllm/a": OWN, "ollama/x": OWN})
    for model in ("openai/gpt-4o", "mockllm/a", "ollama/x"):
        assert book.usd(model, {"input_tokens": 10**6, "output_tokens": 0}) == 1.0
    assert book.price_of("mockllm/b") == MOCK_PRICE


def test_a_price_file() -> None:
    text = json.dumps(
        {
            "models": {"a/b": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 10}},
            "updated_at": "2026-01-01",
            "source": "by hand",
        }
    )
    assert parse_price_file(text, "prices.json") == {"a/b": OWN}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "prices.json is not valid JSON"),
        ("[]", "prices.json: "),
        ({}, "prices.json: models: Field required"),
        ({"models": {"a/b": {"input_usd_per_mtok": 1}}}, "models.a/b.output_usd_per_mtok"),
        (
            {"models": {"a/b": {"input_usd_per_mtok": -1, "output_usd_per_mtok": 1}}},
            "models.a/b.input_usd_per_mtok",
        ),
        (
            {"models": {"a/b": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1, "in": 1}}},
            "models.a/b.in: ",
        ),
        ({"models": {}, "model": 1}, "model: "),
    ],
)
def test_a_wrong_price_file_is_refused_with_file_and_field(content: Any, message: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(ConfigError) as caught:
        parse_price_file(text, "prices.json")
    assert str(caught.value).startswith("budget.pricing_path: prices.json")
    assert message in str(caught.value)
