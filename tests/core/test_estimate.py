"""The ceiling of a run's cost, and who may say yes to it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config import BudgetConfig
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing
from itemeval_assets.core.estimate import (
    NOTHING,
    OUTPUT_TOKENS_UNCAPPED,
    Projection,
    estimate_tokens,
    project,
    require_budget,
)
from itemeval_assets.core.pricing import PriceBook

USD_OF = PriceBook().usd


def test_every_call_is_taken_to_use_its_whole_output_limit() -> None:
    found = project("mockllm/a", ["x" * 8, "x" * 9], 100, USD_OF)
    assert found == Projection(2, 5, 200, (5 * 0.5 + 200 * 2.0) / 1e6, ())
    uncapped = project("mockllm/a", ["x"], None, USD_OF)
    assert uncapped.output_tokens == OUTPUT_TOKENS_UNCAPPED


@given(st.text())
def test_token_counts_are_rounded_up(text: str) -> None:
    assert 4 * estimate_tokens(text) - 4 < len(text) <= 4 * estimate_tokens(text)


def test_models_without_a_price_are_named() -> None:
    one = project("ollama/x", ["a"], 10, USD_OF)
    assert (one.usd, one.unpriced) == (0.0, ("ollama/x",))
    assert project("ollama/x", [], 10, USD_OF).unpriced == ()
    both = one + project("mockllm/a", ["a"], 10, USD_OF) + one
    assert (both.calls, both.output_tokens, both.unpriced) == (3, 30, ("ollama/x",))
    assert NOTHING + one == one


COSTLY = Projection(10, 0, 0, 4.0, ())


@pytest.mark.parametrize(
    ("confirm", "cap", "spent", "consent", "refusal"),
    [
        (5.0, None, 0.0, None, None),
        (4.0, None, 99.0, None, None),
        (3.9, None, 0.0, None, ConsentMissing),
        (0.0, None, 0.0, 4.0, None),
        (0.0, None, 0.0, 3.9, ConsentMissing),
        (5.0, None, 0.0, 1.0, ConsentMissing),
        (0.0, None, 0.0, math.inf, None),
        (5.0, 4.0, 0.0, None, None),
        (5.0, 4.0, 0.1, None, BudgetExceeded),
        (5.0, 3.9, 0.0, math.inf, BudgetExceeded),
    ],
)
def test_consent_and_cap(
    confirm: float,
    cap: float | None,
    spent: float,
    consent: float | None,
    refusal: type[Exception] | None,
) -> None:
    budget = BudgetConfig(confirm_above_usd=confirm, max_usd=cap)
    if refusal is None:
        require_budget(COSTLY, budget, spent_usd=spent, consent_usd=consent)
    else:
        with pytest.raises(refusal, match=r"(?s)\$4.0000 for 10 calls.*No call was made"):
            require_budget(COSTLY, budget, spent_usd=spent, consent_usd=consent)


def test_nothing_to_call_needs_nobodys_consent() -> None:
    budget = BudgetConfig(confirm_above_usd=0.0, max_usd=1.0)
    require_budget(NOTHING, budget, spent_usd=9.0, consent_usd=None)


def test_exit_codes() -> None:
    assert (ConsentMissing.exit_code, BudgetExceeded.exit_code) == (3, 4)
