"""Summaries of scores: what came back, on which scale, and which items are hard."""

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.records.summaries import (
    FARTHEST,
    Graded,
    Scale,
    graded_by,
    item_scores,
    left_out_words,
    mean_words,
    scale_of,
)
from itemeval_assets.core.tables.cells import CELL_STATES
from tests.rows import event

SCORES = st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.lists(
    st.builds(
        lambda item, epoch, condition, judge, outcome: event(
            item, epoch, *outcome, gen_condition_id=condition, grade_condition_id=judge
        ),
        st.sampled_from(["q1", "q2", "q3"]),
        st.integers(1, 2),
        st.sampled_from(["g1", "g2"]),
        st.sampled_from(["j1", "j2"]),
        st.tuples(SCORES)
        | st.tuples(st.none(), st.sampled_from(["no_json_object", "no_number_found"]))
        | st.tuples(st.none()),
    ),
    max_size=12,
)


def judge(row: Any) -> str:
    return row["grade_condition_id"]


def condition(row: Any) -> str:
    return row["gen_condition_id"]


@pytest.mark.parametrize(
    ("scores", "scale"),
    [
        ([], (0, 1)),
        ([0.0, 0.3], (0, 1)),
        ([1.0], (0, 1)),
        ([1.01], (0, 2)),
        ([4.0, 0.5], (0, 5)),
        ([7.0], (0, 10)),
        ([10.0], (0, 10)),
        ([10.5], (0, 20)),
        ([1000.0], (0, 1000)),
        ([-1.0, 1.0], (-1, 1)),
        ([-3.0, 0.5], (-5, 1)),
        ([-0.25], (-0.5, 1)),
        ([1.7e308, -1.7e308], (-FARTHEST, FARTHEST)),
    ],
)
def test_a_scale_ends_at_round_numbers(scores: list[float], scale: tuple[float, float]) -> None:
    assert scale_of(scores) == pytest.approx(scale)
    assert math.copysign(1, scale_of([0.5]).low) == 1  # "0", not "-0"


@given(st.lists(SCORES, max_size=5))
def test_every_score_stands_somewhere_on_its_scale(scores: list[float]) -> None:
    scale = scale_of(scores)
    assert scale.low <= 0 and scale.high >= 1
    for score in scores:
        assert 0 <= scale.share(score) <= 1
        assert abs(score) > FARTHEST or scale.low <= score <= scale.high


def test_what_became_of_the_events_of_each_judge() -> None:
    found = graded_by(
        [
            event(score=None, grade_condition_id="j2"),
            event(score=0.25),
            event(score=None, parse_error="no_json_object"),
            event(score=0.75),
            event(score=None, parse_error="score_not_numeric"),
            event(score=None, parse_error="no_json_object"),
            event(score=None, state="missing"),
        ],
        judge,
    )
    failures = {"no_json_object": 2, "score_not_numeric": 1}
    assert found == {
        "j2": Graded([], {}, {"errored": 1}),
        "j1": Graded([0.25, 0.75], failures, {"unparsed": 3, "missing": 1}),
    }
    assert list(found) == ["j2", "j1"]
    one = found["j1"]
    assert (one.cells, one.returned, one.failed, one.mean) == (6, 5, 3, 0.5)
    assert found["j2"].mean is None and sum(found["j2"].histogram) == 0


@pytest.mark.parametrize(
    ("graded", "words"),
    [
        (Graded([1.0, 0.5, 0.64], {}, {}), "mean 0.713 of 3"),
        (
            Graded([1.0], {"no_json_object": 2}, {"errored": 1, "unparsed": 2}),
            "mean 1 of 1; left out: 2 unparsed, 1 errored",
        ),
        (Graded([], {}, {"not_planned": 1200}), "no score; left out: 1,200 not planned"),
        (Graded([], {}, {}), "no score"),
    ],
)
def test_a_mean_says_of_how_many_it_is_and_what_it_leaves_out(graded: Graded, words: str) -> None:
    assert mean_words(graded) == words


def test_every_state_but_done_can_be_left_out() -> None:
    counts = {state: place for place, state in enumerate(CELL_STATES)}
    words = left_out_words(counts)
    assert words == ("1 unparsed, 2 blank, 3 stale, 4 errored, 5 missing, 6 not planned")
    assert left_out_words({}) == left_out_words({"missing": 0}) == "none"


@pytest.mark.parametrize(
    ("scores", "bins"),
    [
        ([0.0, 1.0, 1.0], {0: 1, 10: 2}),
        ([0.5, 0.52, 0.56], {5: 2, 6: 1}),
        ([0.0, 3.0, 10.0], {0: 1, 3: 1, 10: 1}),
        ([-5.0, 5.0], {0: 1, 10: 1}),
        ([1e300, 0.0], {0: 1, 10: 1}),
    ],
)
def test_the_bins_of_a_histogram_stand_on_the_tenths(scores: list, bins: dict) -> None:
    assert Graded(scores, {}, {}).histogram == [bins.get(place, 0) for place in range(11)]


def test_hard_items_come_first_whatever_the_scales_of_the_judges() -> None:
    scores = item_scores(
        [
            event("easy", score=1.0, grade_condition_id="scorer"),
            event("hard", score=0.0, grade_condition_id="scorer"),
            event("easy", 1, 8.0),
            event("easy", 2, 10.0),
            event("hard", score=0.0),
            event("hard", score=3.0, gen_condition_id="g2"),
            event("unscored", score=None, parse_error="no_json_object", gen_condition_id="g3"),
        ],
        judge,
        condition,
    )
    assert scores.items == ["unscored", "hard", "easy"]
    assert scores.means == {
        "scorer": {"g1": {"easy": 1.0, "hard": 0.0}},
        "j1": {"g1": {"easy": 9.0, "hard": 0.0}, "g2": {"hard": 3.0}, "g3": {}},
    }
    assert scores.scales == {"scorer": Scale(0, 1), "j1": Scale(0, 10)}
    assert scores.left_out == {"unparsed": 1}


def test_nothing_was_graded() -> None:
    assert graded_by([], judge) == {}
    assert item_scores([], judge, condition) == ([], {}, {}, {})


@given(EVENTS)
def test_every_event_is_counted_once_and_every_number_is_finite(rows: list[dict]) -> None:
    before = copy.deepcopy(rows)
    found = graded_by(rows, judge)
    assert sum(graded.cells for graded in found.values()) == len(rows)
    for graded in found.values():
        assert sum(graded.histogram) == len(graded.scores)
        if graded.mean is not None:
            low, high = min(graded.scores), max(graded.scores)
            slack = 1e-9 * max(abs(low), abs(high))
            assert math.isfinite(graded.mean) and low - slack <= graded.mean <= high + slack
    scores = item_scores(rows, judge, condition)
    assert sorted(scores.items) == sorted({row["item_id"] for row in rows})
    cells = {
        (name, column, item): mean
        for name, columns in scores.means.items()
        for column, items in columns.items()
        for item, mean in items.items()
    }
    assert set(cells) == {
        (judge(row), condition(row), row["item_id"]) for row in rows if row["score"] is not None
    }
    assert all(map(math.isfinite, cells.values()))
    assert set(scores.scales) == set(scores.means)
    assert rows == before
