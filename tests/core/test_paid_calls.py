"""Paid calls: each counted once, and only calls that somebody was paid for."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.paid_calls import PaidCalls, generation_calls, grading_calls
from tests.rows import event

AMOUNT = st.none() | st.integers(0, 1000).map(lambda quarters: quarters / 4)


def generated(rows: list, batched: tuple = ()) -> dict[str, PaidCalls]:
    return generation_calls(rows, lambda row: row["gen_condition_id"], batched)


def graded(rows: list, batched: tuple = ()) -> dict[str, PaidCalls]:
    return grading_calls(rows, lambda row: row["grade_condition_id"], batched)


def test_a_solution_was_generated_once_however_many_judges_read_it() -> None:
    rows = [
        event(item, epoch, grade_condition_id=judge, gen_usd=usd, gen_latency_s=4 * usd)
        for judge in ("j1", "j2", "j3")
        for item, epoch, usd in (("q1", 1, 0.25), ("q1", 2, 0.5), ("q2", 1, 1.5))
    ]
    assert generated(rows) == {"g1": PaidCalls(3, 0.75, (1.0, 1.5, 2.0, 4.0, 6.0))}
    same = PaidCalls(3, 0.5, (3.0, 3.0, 3.0, 3.0, 3.0))
    assert graded(rows) == {"j1": same, "j2": same, "j3": same}


def test_a_call_that_the_response_cache_answered_is_none() -> None:
    cached = {"gen_input_tokens": None, "gen_usd": 0.0, "gen_latency_s": 0.0}
    assert generated([event("q1", **cached)]) == {}
    assert generated([event("q1", **cached), event("q2")])["g1"].usd_per_call == 0.25


def test_scorers_and_failed_calls_are_none_and_what_is_not_parsed_is_paid_all_the_same() -> None:
    scorer = event(grade_input_tokens=None, grade_usd=0.0, grade_condition_id="scorer")
    errored = event(score=None, grade_usd=0.0)
    unparsed = event(score=None, parse_error="no_json_object", grade_usd=0.75)
    assert graded([scorer, errored]) == {}
    assert graded([scorer, errored, unparsed, event()])["j1"][:2] == (2, 0.625)


def test_calls_without_a_price_and_calls_of_batches() -> None:
    assert generated([event(gen_usd=None)])["g1"].usd_per_call is None
    assert generated([event(gen_usd=None), event("q2")])["g1"][:2] == (2, 0.25)
    batch = event("q2", gen_latency_s=80_000.0, gen_log_file="batch.eval")
    assert generated([batch], ("batch.eval",)) == {"g1": PaidCalls(1, 0.25, None)}
    assert generated([event(), batch], ("batch.eval",))["g1"] == (2, 0.25, (2.0,) * 5, 0)
    assert generated([event(gen_latency_s=None)])["g1"].latency_s is None


def test_a_solution_that_is_gone_cost_nothing_that_is_known() -> None:
    names = ("gen_input_tokens", "gen_usd", "gen_latency_s", "gen_log_file")
    gone = {**event(), **dict.fromkeys(names)}
    assert generated([gone]) == {} == generated([])


@given(
    st.lists(
        st.builds(
            lambda item, usd, seconds: event(item, gen_usd=usd, gen_latency_s=seconds),
            st.sampled_from(["q1", "q2", "q3", "q4"]),
            AMOUNT,
            AMOUNT,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_numbers_are_in_order_and_among_those_of_the_rows(rows: list) -> None:
    before = copy.deepcopy(rows)
    found = generated(rows)["g1"]
    last = {row["item_id"]: row for row in rows}.values()
    assert found.calls == len(last)
    usd = [row["gen_usd"] for row in last if row["gen_usd"] is not None]
    assert found.usd_per_call == (pytest.approx(sum(usd) / len(usd)) if usd else None)
    seconds = [row["gen_latency_s"] for row in last if row["gen_latency_s"] is not None]
    if seconds:
        assert found.latency_s is not None and list(found.latency_s) == sorted(found.latency_s)
        assert (found.latency_s[0], found.latency_s[-1]) == (min(seconds), max(seconds))
    else:
        assert found.latency_s is None
    assert rows == before


def test_calls_without_a_price_are_counted_apart_from_the_mean() -> None:
    unmetered = event("q2", gen_usd=None, gen_input_tokens=None)
    unpriced = event("q3", gen_usd=None)
    found = generated([event("q1"), unmetered, unpriced])["g1"]
    assert (found.calls, found.usd_per_call, found.unpriced) == (3, 0.25, 2)
