"""Wall time: rounds of calls at the latency observed, the slowest model deciding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.projection.wall_time import BATCH_AT_MOST_S, WallTime, wall_time

MODELS = "abc"
CALLS = st.dictionaries(st.sampled_from(MODELS), st.integers(0, 5000))
LIMITS = st.dictionaries(st.sampled_from(MODELS), st.none() | st.integers(1, 200))
LATENCIES = st.fixed_dictionaries({model: st.floats(0, 600) for model in MODELS})


@pytest.mark.parametrize(
    ("count", "limit", "rounds"),
    [
        (1, None, (1, 1)),
        (10, None, (1, 1)),
        (11, None, (1, 2)),
        (100, None, (1, 10)),
        (101, None, (2, 11)),
        (40, 20, (2, 2)),
        (41, 20, (3, 3)),
        (500, 500, (1, 1)),
    ],
)
def test_calls_go_out_in_rounds(count: int, limit: int | None, rounds: tuple[int, int]) -> None:
    least, most = (number * 1.5 for number in rounds)
    assert wall_time({"a": count}, {"a": 1.5}, {"a": limit}) == WallTime(least, most)


def test_the_slowest_model_decides() -> None:
    calls, latency = {"a": 10, "b": 1}, {"a": 2.0, "b": 30.0}
    assert wall_time(calls, latency, {"a": 1}) == WallTime(30.0, 30.0)
    assert wall_time({**calls, "a": 100}, latency, {"a": 1}) == WallTime(200.0, 200.0)


def test_nobody_knows_the_time_of_a_model_without_a_latency() -> None:
    assert wall_time({"a": 1, "b": 1}, {"a": 1.0}, {}) is None
    assert wall_time({"a": 1, "b": 1}, {"a": 1.0, "b": None}, {}) is None
    assert wall_time({"a": 1, "b": 0}, {"a": 1.0}, {}) == WallTime(1.0, 1.0)


def test_a_batch_may_be_there_at_once_or_after_a_day() -> None:
    assert wall_time({"a": 9}, {}, {}, ["a"]) == WallTime(0.0, BATCH_AT_MOST_S)
    assert wall_time({"a": 9, "b": 1}, {"b": 3.0}, {}, ["a"]) == WallTime(3.0, BATCH_AT_MOST_S)
    assert wall_time({"a": 0}, {}, {}, ["a"]) == WallTime(0.0, 0.0)


def test_no_calls_take_no_time() -> None:
    assert wall_time({}, {}, {}) == WallTime(0.0, 0.0)


@given(CALLS, LATENCIES, LIMITS, st.sets(st.sampled_from(MODELS)))
def test_more_calls_never_take_less_time(
    calls: dict[str, int],
    latency_s: dict[str, float],
    connections: dict[str, int | None],
    batched: set[str],
) -> None:
    found = wall_time(calls, latency_s, connections, batched)
    more = wall_time(
        {model: count + 1 for model, count in calls.items()}, latency_s, connections, batched
    )
    assert found is not None and more is not None
    assert 0 <= found.least_s <= found.most_s
    assert found.least_s <= more.least_s and found.most_s <= more.most_s
