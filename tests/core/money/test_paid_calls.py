"""Paid calls: each counted once, and only calls that somebody was paid for."""

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.paid_calls import PaidCalls, generation_calls, grading_calls
from tests.rows import event, events

AMOUNT = st.none() | st.integers(0, 1000).map(lambda quarters: quarters / 4)


def generated(rows: list, batched: tuple = ()) -> PaidCalls | None:
    return generation_calls(events(rows), batched)


def graded(rows: list, batched: tuple = ()) -> PaidCalls | None:
    return grading_calls(events(rows), batched)


def test_a_solution_was_generated_once_however_many_judges_read_it() -> None:
    rows = [
        event(item, epoch, grade_condition_id=judge, gen_usd=usd, gen_latency_s=4 * usd)
        for judge in ("j1", "j2", "j3")
        for item, epoch, usd in (("q1", 1, 0.25), ("q1", 2, 0.5), ("q2", 1, 1.5))
    ]
    assert generated(rows) == PaidCalls(3, 0.75, (1.0, 1.5, 2.0, 4.0, 6.0))
    one = [row for row in rows if row["grade_condition_id"] == "j1"]
    assert graded(one) == PaidCalls(3, 0.5, (3.0, 3.0, 3.0, 3.0, 3.0))


def test_a_call_that_the_response_cache_answered_is_none() -> None:
    cached = {"gen_input_tokens": None, "gen_usd": 0.0, "gen_latency_s": 0.0}
    assert generated([event("q1", **cached)]) is None
    assert generated([event("q1", **cached), event("q2")]) == (1, 0.25, (2.0,) * 5, 0)


def test_scorers_and_failed_calls_are_none_and_what_is_not_parsed_is_paid_all_the_same() -> None:
    scorer = event(grade_input_tokens=None, grade_usd=0.0, grade_condition_id="scorer")
    errored = event(score=None, grade_usd=0.0)
    unparsed = event(score=None, parse_error="no_json_object", grade_usd=0.75)
    assert graded([scorer]) is None and graded([errored]) is None
    assert graded([errored, unparsed, event("q2")]) == (2, 0.625, (3.0,) * 5, 0)


def test_calls_without_a_price_and_calls_of_batches() -> None:
    assert generated([event(gen_usd=None)]) == (1, None, (2.0,) * 5, 1)
    assert generated([event(gen_usd=None), event("q2")]) == (2, 0.25, (2.0,) * 5, 1)
    batch = event("q2", gen_latency_s=80_000.0, gen_log_file="batch.eval")
    assert generated([batch], ("batch.eval",)) == PaidCalls(1, 0.25, None)
    assert generated([event(), batch], ("batch.eval",)) == (2, 0.25, (2.0,) * 5, 0)
    assert generated([event(gen_latency_s=None)]) == PaidCalls(1, 0.25, None)


def test_a_solution_that_is_gone_cost_nothing_that_is_known() -> None:
    names = ("gen_input_tokens", "gen_usd", "gen_latency_s", "gen_log_file")
    gone = {**event(), **dict.fromkeys(names)}
    assert generated([gone]) is None and generated([]) is None and graded([]) is None


def row_by_row(rows: list[dict[str, Any]], batched: tuple, stage: str) -> PaidCalls | None:
    if stage == "gen":
        rows = list({(row["item_id"], row["replication"]): row for row in rows}.values())
    else:
        rows = [row for row in rows if row["parse_ok"] or row["parse_error"] is not None]
    paid = [
        row
        for row in rows
        if row[f"{stage}_input_tokens"] is not None
        or (row[f"{stage}_usd"] is None and row[f"{stage}_log_file"] is not None)
    ]
    if not paid:
        return None
    usd = [row[f"{stage}_usd"] for row in paid if row[f"{stage}_usd"] is not None]
    single = [row for row in paid if row[f"{stage}_log_file"] not in batched]
    seconds = [found for row in single if (found := row[f"{stage}_latency_s"]) is not None]
    numbers = None
    if seconds:
        several = seconds * 2 if len(seconds) == 1 else seconds
        quartiles = statistics.quantiles(several, n=4, method="inclusive")
        numbers = (min(seconds), *quartiles, max(seconds))
    mean = sum(usd) / len(usd) if usd else None
    return PaidCalls(len(paid), mean, numbers, len(paid) - len(usd))  # type: ignore[arg-type]


@pytest.mark.parametrize("stage", ["gen", "grade"])
@given(data=st.data())
def test_columns_say_what_rows_say(stage: str, data: st.DataObject) -> None:
    log_files = st.sampled_from(["a.eval", "batch.eval", None])
    own = st.fixed_dictionaries(
        {
            f"{stage}_usd": AMOUNT,
            f"{stage}_latency_s": AMOUNT,
            f"{stage}_log_file": log_files,
            f"{stage}_input_tokens": st.none() | st.just(10),
        }
    )
    one = st.builds(
        lambda item, replication, parse_error, values: event(
            item, replication, None if parse_error else 1.0, parse_error, **values
        ),
        st.sampled_from(["q1", "q2", "q3", "q4"]),
        st.integers(1, 2),
        st.none() | st.just("no_json_object"),
        own,
    )
    rows = data.draw(st.lists(one, max_size=8))
    calls_of = {"gen": generated, "grade": graded}[stage]
    assert calls_of(rows, ("batch.eval",)) == row_by_row(rows, ("batch.eval",), stage)


def test_calls_without_a_price_are_counted_apart_from_the_mean() -> None:
    unmetered = event("q2", gen_usd=None, gen_input_tokens=None)
    unpriced = event("q3", gen_usd=None)
    assert generated([event("q1"), unmetered, unpriced]) == (3, 0.25, (2.0,) * 5, 2)
