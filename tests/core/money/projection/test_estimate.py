"""The estimate of calls: a ceiling that holds, and figures calibrated on what was observed."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.projection.estimate import (
    NOTHING,
    OUTPUT_TOKENS_UNCAPPED,
    Calibration,
    Call,
    Observed,
    Projection,
    calibrate,
    estimate_tokens,
    most_tokens,
    output_limit,
    project,
)

TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))
COUNT = st.integers(0, 10**6)
CALLS = st.lists(st.builds(Call, COUNT, COUNT, COUNT, st.integers(1, 9)), max_size=6)
NAMES = st.lists(st.sampled_from("abc"), unique=True).map(lambda names: tuple(sorted(names)))
# Amounts that floats add up exactly, in any order.
USD = COUNT.map(float)
PROJECTION = st.builds(
    Projection, COUNT, COUNT, COUNT, COUNT, USD, st.none() | COUNT, st.none() | COUNT,
    st.none() | USD, NAMES, NAMES,
)  # fmt: skip
CALIBRATION = Calibration("a", 9, input_ratio=1.5, output_tokens=20.4, latency_s=2.0)


def usd_of(model: str, tokens: Mapping[str, int | None]) -> float | None:
    """1 USD per input token and 10 per output token; nobody knows what `free` costs."""
    if model == "free":
        return None
    return (tokens["input_tokens"] or 0) + 10.0 * (tokens["output_tokens"] or 0)


def test_the_ceiling_and_the_expected_figures() -> None:
    calls = [Call(100, 50, 10), Call(200, 50, 20)]
    assert project("a", calls, usd_of, calibration=CALIBRATION) == Projection(
        calls=2,
        input_tokens=300,
        output_tokens=100,
        usd=1300.0,
        expected_input_tokens=45,
        expected_output_tokens=41,
        expected_usd=455.0,
    )


def test_nothing_is_expected_while_nothing_was_observed() -> None:
    found = project("a", [Call(100, 50, 10)], usd_of)
    assert found.usd == 600.0
    assert found[5:8] == (None, None, None)


def test_calls_may_come_in_sum() -> None:
    apart = [Call(100, 50, 10), Call(200, 50, 20)]
    for calibration in (None, CALIBRATION):
        found = project("a", [Call(300, 100, 30, calls=2)], usd_of, calibration=calibration)
        assert found == project("a", apart, usd_of, calibration=calibration)


def test_cached_calls_are_counted_and_free() -> None:
    assert project("a", [], usd_of, cached=3, is_capped=False) == Projection(calls=3, cached=3)
    paid = project("a", [Call(100, 50, 10)], usd_of, calibration=CALIBRATION)
    some = project("a", [Call(100, 50, 10)], usd_of, cached=2, calibration=CALIBRATION)
    assert some == paid._replace(calls=3, cached=2)


def test_models_without_a_price_or_a_limit_are_named() -> None:
    found = project("free", [Call(100, 50, 10)], usd_of, calibration=CALIBRATION, is_capped=False)
    assert (found.usd, found.unpriced, found.uncapped) == (0.0, ("free",), ("free",))
    assert (found.expected_usd, found.expected_input_tokens) == (None, 15)
    known = project("a", [Call(100, 50, 10)], usd_of)
    assert (known.unpriced, known.uncapped) == ((), ())
    assert project("free", [], usd_of, is_capped=False) == NOTHING


@given(CALLS, CALLS, st.sampled_from(["a", "free"]), st.sampled_from([None, CALIBRATION]))
def test_the_ceiling_of_all_calls_is_the_sum_of_the_ceilings(
    some: list[Call], others: list[Call], model: str, calibration: Calibration | None
) -> None:
    parts = [
        project(model, calls, usd_of, cached=1, calibration=calibration) for calls in (some, others)
    ]
    whole = project(model, some + others, usd_of, cached=2, calibration=calibration)
    total = parts[0] + parts[1]
    assert (total[:5], total.unpriced) == (whole[:5], whole.unpriced)
    assert (total.expected_usd is None) == (whole.expected_usd is None)


@given(st.lists(PROJECTION, max_size=4))
def test_projections_add_up(parts: list[Projection]) -> None:
    total = sum(parts, NOTHING)
    assert sum(reversed(parts), NOTHING) == total
    for name in Projection._fields:
        terms = [getattr(part, name) for part in parts]
        if name in ("unpriced", "uncapped"):
            assert getattr(total, name) == tuple(
                sorted({model for term in terms for model in term})
            )
        else:
            assert getattr(total, name) == (None if None in terms else sum(terms))


@given(TEXT)
def test_the_most_tokens_of_a_text(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    assert most_tokens(text) >= size / 2
    assert most_tokens(text) >= estimate_tokens(text) >= len(text) / 4
    assert most_tokens(text) > 0


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2)])
def test_four_characters_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("max_tokens", "reasoning", "limit"),
    [
        (100, None, 100),
        (100, 5000, 100),
        (None, None, OUTPUT_TOKENS_UNCAPPED),
        (None, 5000, OUTPUT_TOKENS_UNCAPPED + 5000),
    ],
)
def test_output_limits(max_tokens: int | None, reasoning: int | None, limit: int) -> None:
    assert output_limit(max_tokens, reasoning) == limit


def test_a_model_is_calibrated_on_its_own_calls_else_on_those_of_all() -> None:
    observed = [Observed("a", 1, 10, 20, 100, [1.0]), Observed("a", 1, 30, 20, 50, [2.0])]
    observed.append(Observed("b", 1, 40, 120, 0, [9.0]))
    pooled = Calibration("all models", 3, 2.0, 50.0, 4.0)
    assert calibrate(iter(observed), ["a", "new"]) == {
        "a": Calibration("a", 2, 1.0, 75.0, 1.5),
        "new": pooled,
    }


def test_without_calls_there_is_no_calibration() -> None:
    assert calibrate([], ["a"]) == {"a": None}
    [found] = calibrate([Observed("a", 1, 0, 7, 1, [1.0])], ["a"]).values()
    assert found is not None and found.input_ratio == 1.0
