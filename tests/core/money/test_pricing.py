"""Prices: what calls cost, and what is not known."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.money.prices import Price, cost_usd, parse_price_file
from itemeval_assets.core.money.pricing import FREE, MOCK_PRICE, PriceBook, words_on_ending
from itemeval_assets.core.money.providers import has_batch_mode, is_this_machine, provider_of

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


def test_a_model_that_its_provider_ends_is_told_with_what_is_published_of_it() -> None:
    [google] = [one for one in providers if one.id == "google"]
    ended = next(one for one in google.models if one.deprecated and one.price_comments)
    told = words_on_ending(f"google/{ended.id}")
    assert told is not None and told.startswith(f"google/{ended.id}: its provider ends it, or has")
    assert str(ended.price_comments)[:40] in told and len(told) < 320
    others = ["openai/gpt-4o", "mockllm/a", "ollama/llama3.1", "nobody/x", "openai-api/test/m"]
    assert {words_on_ending(model) for model in others} == {None}


@pytest.mark.parametrize(
    "model",
    [
        "openai/no-such-model-at-all",
        "nobody/gpt-4o",
        "openai-api/local/gpt-4o",
    ],
)
def test_what_nobody_publishes_has_no_price(model: str) -> None:
    book = PriceBook()
    assert book.price_of(model) is None
    assert book.usd(model, {"input_tokens": 5}) is None


@pytest.mark.parametrize("model", ["ollama/llama3.1", "vllm/meta-llama/Llama", "hf/org/model"])
def test_a_model_on_this_machine_costs_nothing(model: str) -> None:
    assert PriceBook().usd(model, {"input_tokens": 10**9}) == 0.0
    here = {"OLLAMA_BASE_URL": "http://localhost:11434/v1", "VLLM_BASE_URL": "http://[::1]:8000"}
    assert PriceBook(environment=here).price_of(model) == FREE


def test_where_a_server_is_decides() -> None:
    book = PriceBook(
        environment={
            "VLLM_BASE_URL": "https://gpu.example.com/v1",
            "MY_LAB_BASE_URL": "http://127.0.0.1:8000/v1",
            "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1",
        }
    )
    assert book.price_of("vllm/meta-llama/Llama") is None
    assert book.price_of("ollama/llama3.1") == book.price_of("openai-api/my-lab/x") == FREE
    assert book.price_of("openai-api/your-lab/x") is None
    assert book.price_of("openai/gpt-4o") not in (None, FREE)


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("http://0.0.0.0:8000/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.2/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://192.168.0.7:8000/v1", False),
        ("http://[::1/v1", False),
        ("", False),
    ],
)
def test_which_addresses_are_of_this_machine(address: str, is_here: bool) -> None:
    assert is_this_machine(address) == is_here


def test_the_server_of_any_model_decides_for_those_that_ask_one() -> None:
    away = PriceBook(environment={"INSPECT_EVAL_MODEL_BASE_URL": "https://gpu.example.com/v1"})
    assert away.price_of("ollama/llama3.1") is None and away.price_of("hf/org/model") == FREE
    here = PriceBook(environment={"INSPECT_EVAL_MODEL_BASE_URL": "http://127.0.0.1:8000/v1"})
    assert here.price_of("openai-api/my-lab/x") == FREE


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
    found = parse_price_file(text, "prices.json")
    assert found.models == {"a/b": OWN}
    assert found.age_days(datetime(2026, 1, 31, tzinfo=UTC)) == 30


def test_a_price_file_of_depth_is_refused() -> None:
    for text in ("[" * 100_000, '{"models": ' + '{"a":' * 50_000):
        with pytest.raises(ConfigError, match=r"p is not valid JSON: .* nested too deeply"):
            parse_price_file(text, "p")


def test_a_price_file_that_does_not_say_its_age() -> None:
    assert parse_price_file('{"models": {}}', "p").age_days(datetime.now(UTC)) is None


def test_a_batch_costs_less_where_the_provider_has_batches() -> None:
    book = PriceBook({"openai/a": OWN, "mistral/a": OWN})
    tokens = {"input_tokens": 10**6, "output_tokens": 10**6, "cache_read_tokens": 10**6}
    assert book.usd("openai/a", tokens, batch=True) == pytest.approx(6.0)
    assert book.usd("openai/a", tokens) == book.usd("mistral/a", tokens, batch=True) == 12.0
    assert [has_batch_mode(model) for model in ("openai/a", "mistral/a")] == [True, False]
    own = PriceBook({"openai/a": OWN.model_copy(update={"batch_discount": 0.25})})
    assert own.usd("openai/a", tokens, batch=True) == pytest.approx(9.0)


@given(PRICE, TOKENS, st.booleans(), st.none() | st.floats(0, 0.99))
def test_what_was_paid_and_what_was_saved_make_the_list_price(
    price: Price, tokens: dict[str, int | None], batch: bool, discount: float | None
) -> None:
    book = PriceBook({"openai/a": price.model_copy(update={"batch_discount": discount})})
    paid, saved = book.usd("openai/a", tokens, batch), book.savings("openai/a", tokens, batch)
    read = sum(
        tokens.get(name) or 0
        for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens")
    )
    at_list = cost_usd(price, {"input_tokens": read, "output_tokens": tokens.get("output_tokens")})
    assert paid is not None and saved is not None
    total = paid + saved.by_prompt_cache_usd + saved.by_batch_usd
    assert total == pytest.approx(at_list, rel=1e-9, abs=1e-9)


def test_where_a_price_is_from() -> None:
    book = PriceBook({"a/b": OWN}, "budget.pricing_path prices.json")
    assert book.source_of("a/b") == "budget.pricing_path prices.json"
    assert book.source_of("mockllm/a") == "mock"
    assert str(book.source_of("openai/gpt-4o")).startswith("genai-prices 0.")
    assert book.source_of("ollama/x") == "this machine"
    assert (
        book.source_of("openai-api/x/y") is None and book.as_record("openai-api/x/y", False) is None
    )
    record = book.as_record("a/b", False)
    assert record and record["input_usd_per_mtok"] == 1.0 and not record["batch"]


def test_providers() -> None:
    assert provider_of("openai/gpt-4o") == "openai"
    assert provider_of("openai-api/groq/llama") == "openai-api/groq"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "prices.json is not valid JSON"),
        ("[]", 'prices.json: expected an object; write {"models": {'),
        ("9" * 5_000, "is not valid JSON: an integer has more than 4,300 digits; put quotes"),
        ('{"models": {"a/b": {}, "a/b": {}}}', "'a/b' stands twice"),
        ('{"models": {}, "models": {}}', "'models' stands twice"),
        (
            {"models": {"a/b": {"input_usd_per_mtok": 1, "output_usd_per_mtok": True}}},
            "models.a/b.output_usd_per_mtok: Input should be a valid number",
        ),
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
        (
            {"mockllm/alpha": 3},
            'write {"models": {"<provider>/<model>": {"input_usd_per_mtok": 1, '
            '"output_usd_per_mtok": 4}}}',
        ),
    ],
)
def test_a_wrong_price_file_is_refused_with_file_and_field(content: Any, message: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(ConfigError) as caught:
        parse_price_file(text, "prices.json")
    assert str(caught.value).startswith("budget.pricing_path: prices.json")
    assert message in str(caught.value)
