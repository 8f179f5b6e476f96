"""Summaries of scores in words, and the scales that they are shown on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.records.summaries import (
    FARTHEST,
    Graded,
    left_out_words,
    scale_of,
    scored_words,
)
from itemeval_assets.core.tables.cells import CELL_STATES
from tests.rows import outcome

SCORES = st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)


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


@pytest.mark.parametrize(
    ("graded", "words"),
    [
        (outcome([1.0, 0.5, 0.64]), "3 scores"),
        (
            outcome([1.0], {"no_json_object": 2}, errored=1),
            "1 score; left out: 2 unparsed, 1 errored",
        ),
        (outcome([], not_planned=1200), "0 scores; left out: 1,200 not planned"),
        (outcome([]), "0 scores"),
    ],
)
def test_scores_are_counted_with_what_is_left_out(graded: Graded, words: str) -> None:
    assert scored_words(graded) == words


def test_every_state_but_done_can_be_left_out() -> None:
    counts = {state: place for place, state in enumerate(CELL_STATES)}
    words = left_out_words(counts)
    assert words == ("1 unparsed, 2 blank, 3 stale, 4 errored, 5 missing, 6 not planned")
    assert left_out_words({}) == left_out_words({"missing": 0}) == "none"
