"""The allowance: calls are made while what they may cost is left, and no longer."""

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import ModelUsage

from itemeval_assets.engine.calls.in_flight.allowance import Allowance

# Most and paid USD of a call, in whole dollars.
CALL = st.tuples(st.integers(1, 50), st.integers(0, 50))


def usd_of(model: str, tokens: Mapping[str, int | None]) -> float | None:
    """1 USD a token; nobody knows what `free` costs."""
    return None if model == "free" else float(tokens["output_tokens"] or 0)


def usage(usd: int) -> ModelUsage:
    return ModelUsage(output_tokens=usd, total_tokens=usd)


def test_a_call_that_may_cost_more_than_is_left_is_held_back() -> None:
    allowance = Allowance(10.0, usd_of)
    assert [allowance.take(usd) for usd in (6.0, 5.0, 4.0, 0.01, 0.0)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert allowance.held_back == 2


def test_what_a_call_did_not_use_is_there_for_others() -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(10.0)
    allowance.settle(10.0, "a", usage(4))
    assert allowance.take(6.0) and not allowance.take(1.0)


def test_what_a_call_cost_more_than_it_might_is_missing_to_others() -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(4.0)
    allowance.settle(4.0, "a", usage(9))
    assert not allowance.take(2.0) and allowance.take(1.0)


def test_an_answer_of_a_model_without_a_price_gives_all_back() -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(10.0)
    allowance.settle(10.0, "free", usage(4))
    assert allowance.take(10.0)


@pytest.mark.parametrize("used", [None, ModelUsage(output_tokens=4, total_tokens=1), usage(-4)])
def test_a_reply_without_a_usage_that_can_be_gives_nothing_back(used: ModelUsage | None) -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(10.0)
    allowance.settle(10.0, "a", used)
    assert not allowance.take(1.0)


def test_a_call_without_an_end_gives_nothing_back() -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(6.0) and not allowance.take(6.0)


@given(st.lists(st.floats(0, 1), max_size=40), st.randoms())
def test_calls_within_their_ceiling_are_never_held_back(
    ceilings: list[float], random: Random
) -> None:
    allowance = Allowance(sum(ceilings), usd_of)
    random.shuffle(ceilings)
    assert all(allowance.take(most) for most in ceilings)
    assert allowance.held_back == 0


@given(st.integers(0, 100), st.lists(CALL))
def test_no_more_is_spent_than_allowed_but_for_what_answers_cost_beyond_their_ceiling(
    usd: int, calls: list[tuple[int, int]]
) -> None:
    allowance, spent, beyond = Allowance(usd, usd_of), 0, 0
    for most, paid in calls:
        if allowance.take(most):
            allowance.settle(most, "a", usage(paid))
            spent += paid
            # The last call may cost what nobody foresaw; those before have been made up for.
            beyond = max(0, paid - most)
            assert spent <= usd + beyond
    assert spent <= usd + 50


def test_a_sample_takes_of_what_others_leave_and_stops_where_nothing_is_left() -> None:
    allowance = Allowance(10.0, usd_of)
    assert allowance.take(4.0) and allowance.take(6.0)
    one, other = allowance.meter(4.0), allowance.meter(6.0)
    one.add("a", usage(3))
    assert one.why_not() == ""
    one.add("a", usage(3))
    # It is 2 USD over its own part, which nobody has left so far.
    assert one.why_not() and other.why_not() == ""
    other.add("a", usage(1))
    other.close()
    assert one.why_not() == ""
    one.close()
    assert allowance.take(3.0) and not allowance.take(1.0)


def test_models_without_a_price_never_use_a_sample_up() -> None:
    allowance = Allowance(0.0, usd_of)
    assert allowance.take(0.0)
    meter = allowance.meter(0.0)
    for _ in range(3):
        meter.add("free", usage(50))
    assert meter.why_not() == ""


@given(st.lists(st.tuples(CALL, st.booleans()), max_size=20))
def test_meters_never_lose_money(samples: list[tuple[tuple[int, int], bool]]) -> None:
    allowance = Allowance(200.0, usd_of)
    spent = 0
    for (most, paid), is_closed in samples:
        if not allowance.take(float(most)):
            continue
        meter = allowance.meter(float(most))
        meter.add("a", usage(paid))
        spent += paid if is_closed else max(most, paid)
        if is_closed:
            meter.close()
    left = 200 - spent
    assert allowance.is_overdrawn == (left < 0)
    assert left < 0 or allowance.take(float(left))
    assert not allowance.take(1.0)
