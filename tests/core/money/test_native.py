"""Which models at OpenRouter their own providers have, and what they cost there."""

import pytest

from itemeval_assets.core.money.native import native_id, native_routes, words_on_routes
from itemeval_assets.core.money.prices import Price
from itemeval_assets.core.money.pricing import PriceBook

HAIKU, MINI = "openrouter/anthropic/claude-haiku-4.5", "openrouter/openai/gpt-4o-mini"
DEEPSEEK = "openrouter/deepseek/deepseek-chat"
PRICE = Price(input_usd_per_mtok=1, output_usd_per_mtok=4)


@pytest.mark.parametrize(
    ("model", "native"),
    [
        (HAIKU, "anthropic/claude-haiku-4-5"),
        (MINI, "openai/gpt-4o-mini"),
        ("openrouter/google/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openrouter/x-ai/grok-4.1", "grok/grok-4.1"),
        (f"{MINI}:free", None),
        (DEEPSEEK, None),
        ("openrouter/auto", None),
        ("openai/gpt-4o-mini", None),
        ("openrouter/openai/", None),
    ],
)
def test_the_same_model_at_its_own_provider(model: str, native: str | None) -> None:
    assert native_id(model) == native


def test_only_what_has_a_price_is_routed_and_both_are_told() -> None:
    book = PriceBook({"openai/gpt-4o-mini": PRICE, "anthropic/claude-haiku-4-5": None})
    models = [MINI, HAIKU, DEEPSEEK, "openai/gpt-4o"]
    routes = native_routes(models, book)
    assert routes == {MINI: "openai/gpt-4o-mini"}
    assert words_on_routes(models, routes) == [
        f"in batches of their own provider: {MINI} as openai/gpt-4o-mini",
        f"one by one, since no batch API with a price is known: {HAIKU}, {DEEPSEEK}",
    ]
    assert words_on_routes(["openai/gpt-4o"], {}) == []


def test_a_routed_model_costs_what_its_own_provider_charges_also_as_a_log_keeps_it() -> None:
    dear = Price(input_usd_per_mtok=9, output_usd_per_mtok=9)
    book = PriceBook({MINI: dear, "openai/gpt-4o-mini": PRICE}).priced_as(
        {MINI: "openai/gpt-4o-mini"}
    )
    tokens = {"input_tokens": 10**6, "output_tokens": 10**6}
    assert (book.usd(MINI, tokens), book.usd(MINI, tokens, batch=True)) == (5.0, 2.5)
    booked = PriceBook.as_booked(MINI, book.evidence(MINI))
    assert booked.usd(MINI, tokens, batch=True) == 2.5
    saved = booked.savings(MINI, tokens, batch=True)
    assert saved and saved.by_batch_usd == 2.5
