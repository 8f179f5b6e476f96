"""Scores summed up from columns: what came back, and which items are hard."""

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.records.scores import graded, item_scores
from itemeval_assets.core.records.summaries import BINS, Graded, ItemScores, Scale, scale_of
from itemeval_assets.core.tables.cells import CELL_STATES
from tests.rows import cells, event, outcome, pairs

Rows = list[dict[str, Any]]
SCORES = st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.lists(
    st.builds(
        lambda item, epoch, condition, judge, outcome: event(
            item, epoch, **outcome, gen_condition_id=condition, grade_condition_id=judge
        ),
        st.sampled_from(["q1", "q2", "q3"]),
        st.integers(1, 4),
        st.sampled_from(["g1", "g2"]),
        st.sampled_from(["j1", "j2"]),
        st.fixed_dictionaries({"score": SCORES | st.just(math.inf)})
        | st.sampled_from(["no_json_object", "no_number_found"]).map(
            lambda code: {"score": None, "parse_error": code}
        )
        | st.sampled_from(CELL_STATES[2:]).map(lambda state: {"score": None, "state": state}),
    ),
    max_size=24,
)


def mean(values: list[float]) -> float:
    return math.fsum(value / len(values) for value in values)


def has_score(row: dict[str, Any]) -> bool:
    return row["score"] is not None and math.isfinite(row["score"])


def graded_row_by_row(rows: Rows) -> Graded:
    scores = [row["score"] for row in rows if has_score(row)]
    rest = [row for row in rows if not has_score(row)]
    scale = scale_of(scores)
    bins = Counter(round(scale.share(score) * (BINS - 1)) for score in scores)
    return Graded(
        len(scores),
        scale,
        [bins[place] for place in range(BINS)],
        dict(Counter(row["reason"] for row in rest if row["state"] == "unparsed")),
        dict(Counter(row["state"] for row in rest)),
    )


def item_scores_row_by_row(rows: Rows) -> ItemScores:
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    shares: dict[str, list[float]] = {row["item_id"]: [] for row in rows}
    for row in rows:
        columns = found.setdefault(row["grade_condition_id"], {})
        column = columns.setdefault(row["gen_condition_id"], {})
        if has_score(row):
            column.setdefault(row["item_id"], []).append(row["score"])
    scales = {
        judge: scale_of(s for column in columns.values() for cell in column.values() for s in cell)
        for judge, columns in found.items()
    }
    means = {
        judge: {
            name: {item: mean(scores) for item, scores in column.items()}
            for name, column in columns.items()
        }
        for judge, columns in found.items()
    }
    for judge, columns in means.items():
        for column in columns.values():
            for item, score in column.items():
                shares[item].append(scales[judge].share(score))
    ranked = sorted(shares, key=lambda item: mean(shares[item]) if shares[item] else -1.0)
    left_out = Counter(row["state"] for row in rows if not has_score(row))
    return ItemScores(ranked, means, scales, dict(left_out))


@given(EVENTS)
def test_columns_say_what_rows_say(rows: Rows) -> None:
    for pair in pairs(rows):
        own = pair.cells.to_pylist()
        found = graded(pair.cells)
        assert found == graded_row_by_row(own)
        assert found.cells == len(own) and sum(found.histogram) == found.scored
    in_order = [row for pair in pairs(rows) for row in pair.cells.to_pylist()]
    found, expected = item_scores(pairs(rows)), item_scores_row_by_row(in_order)
    assert found == expected
    assert list(found.means) == list(expected.means)
    assert all(
        math.isfinite(score)
        for columns in found.means.values()
        for column in columns.values()
        for score in column.values()
    )


def test_what_became_of_the_events_of_a_judge() -> None:
    failures = {"no_json_object": 2, "score_not_numeric": 1}
    one = outcome([0.25, 0.75], failures, missing=1)
    bins = [0] * BINS
    bins[2] = bins[8] = 1
    left_out = {"unparsed": 3, "missing": 1}
    assert one == Graded(2, Scale(0, 1), bins, failures, left_out)
    assert (one.cells, one.returned, one.failed) == (6, 5, 3)
    assert outcome([], errored=1) == Graded(0, Scale(0, 1), [0] * BINS, {}, {"errored": 1})


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
    assert outcome(scores).histogram == [bins.get(place, 0) for place in range(BINS)]


def test_hard_items_come_first_whatever_the_scales_of_the_judges() -> None:
    scores = item_scores(
        pairs(
            [
                event("easy", score=1.0, grade_condition_id="scorer"),
                event("hard", score=0.0, grade_condition_id="scorer"),
                event("easy", 1, 8.0),
                event("easy", 2, 10.0),
                event("hard", score=0.0),
                event("hard", score=3.0, gen_condition_id="g2"),
                event("unscored", score=None, parse_error="no_json_object", gen_condition_id="g3"),
            ]
        )
    )
    assert scores.items == ["unscored", "hard", "easy"]
    assert scores.means == {
        "scorer": {"g1": {"easy": 1.0, "hard": 0.0}},
        "j1": {"g1": {"easy": 9.0, "hard": 0.0}, "g2": {"hard": 3.0}, "g3": {}},
    }
    assert scores.scales == {"scorer": Scale(0, 1), "j1": Scale(0, 10)}
    assert scores.left_out == {"unparsed": 1}


def test_nothing_was_graded() -> None:
    assert graded(cells([])) == Graded(0, Scale(0, 1), [0] * BINS, {}, {})
    assert item_scores([]) == ([], {}, {}, {})
