"""Means with bounds, graders by name, groups, rates and panels."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from itemeval_assets.measurement import (
    mean_score,
    mean_scores,
    panel_mean,
    pass_at_k,
    wilson_interval,
)
from tests.measurement.frames import random_scores, scored

GRADED = pd.DataFrame(
    {
        "item_id": ["q1", "q2", "q3"] * 3,
        "grade_condition_id": ["j1"] * 3 + ["j2"] * 3 + ["s1"] * 3,
        "grader_name": ["judge"] * 6 + [None] * 3,
        "scorer_name": [None] * 6 + ["numeric"] * 3,
        "score": [5.0, 6, 7, 1, 3, 5, 0, 1, 1],
    }
)


def test_bounds_count_empty_scores_and_missing_cells_as_worst_and_as_best():
    found = mean_score(scored([1, 0, 1, None]), scale=(0, 1), missing=1)
    assert found.value == pytest.approx(2 / 3)
    assert found.bounds == (2 / 5, 4 / 5)
    assert (found.n_events, found.n_missing) == (3, 2)


def test_an_empty_score_weighs_as_its_item_does():
    frame = pd.DataFrame({"item_id": ["a", "b", "b", "b"], "score": [1, 0, None, None]})
    bounds = mean_score(frame, scale=(0, 1)).bounds
    assert bounds == (0.5, pytest.approx((1 + 2 / 3) / 2))


def test_missing_cells_that_complete_the_design_weigh_as_the_others():
    frame = pd.DataFrame({"item_id": ["a", "a", "a", "b"], "score": [1, 1, 1, 0]})
    assert mean_score(frame, scale=(0, 1), missing=2).bounds == (0.5, pytest.approx(5 / 6))


def test_without_a_scale_there_are_no_bounds_and_no_missing_no_bounds():
    assert mean_score(scored([1, None, 0]), missing=1).bounds is None
    assert mean_score(scored([1, 1, 0]), scale=(0, 1)).bounds is None


def test_a_binary_scale_need_not_be_0_and_1():
    found = mean_score(scored([0, 10, 10, 10]), scale=(0, 10))
    limits = wilson_interval(3, 4)
    assert (found.method, found.low, found.high) == ("Wilson", 10 * limits.low, 10 * limits.high)
    assert mean_score(scored([0, 10, 10, 10])).method.startswith("t")


def test_limits_stay_on_the_scale():
    frame = scored([0.9, 1, 1, 0.2])
    assert mean_score(frame).high > 1
    assert mean_score(frame, scale=(0, 1)).high == 1


def test_warnings_of_few_clusters_and_of_means_near_an_end():
    few = mean_score(random_scores(1, 20, 2))
    assert few.warnings == ("Only 20 items: with fewer than 30 an interval can be too narrow.",)
    near = mean_score(scored([1.0] * 99 + [0.0]))
    assert near.warnings[0].startswith("The mean is near an end of the scale")
    beyond = mean_score(scored([5.0] * 39 + [4.0]), scale=(0, 1))
    assert beyond.warnings == ("40 scores lie outside of the scale 0 to 1, and are kept.",)


@pytest.mark.parametrize(("grader", "mean"), [("j1", 6), ("numeric", 2 / 3), (["j1", "j2"], 4.5)])
def test_a_grader_goes_by_each_of_its_names_and_several_are_pooled_if_named(grader, mean):
    assert mean_score(GRADED, grader=grader).value == pytest.approx(mean)


def test_a_name_of_two_grade_conditions_is_refused():
    with pytest.raises(ValueError, match="'judge' names 2 grade conditions: j1, j2"):
        mean_score(GRADED, grader="judge")


@pytest.mark.parametrize("make", [lambda frame: frame, pa.Table.from_pandas])
def test_means_by_columns_are_the_means_of_the_parts(make):
    frame = random_scores(3, 30, 2)
    frame["topic"] = [int(name[1:]) % 2 for name in frame["item_id"]]
    frame.loc[[2, 5], "score"] = np.nan
    found = mean_scores(make(frame), by=["model", "topic"], scale=(0, 1), cluster="passage")
    assert len(found) == 6
    for (model, topic), part in frame.groupby(["model", "topic"]):
        assert found[model, topic] == mean_score(part, scale=(0, 1), cluster="passage")


def test_means_by_grader_pool_nothing():
    found = mean_scores(GRADED, by="grade_condition_id", missing={"j2": 1}, scale=(0, 10))
    assert [found[name].value for name in ("j1", "j2")] == [6, 3]
    assert found["j2"].bounds == (9 / 4, 19 / 4) and found["j1"].bounds is None


def test_a_panel_is_the_mean_of_its_judges_on_the_items_of_all():
    found = panel_mean(GRADED, ["j1", "j2"])
    assert (found.value, found.n_items, found.n_events) == (4.5, 3, 6)
    assert found.method == "panel of 2; t, clustered by item"
    holes = GRADED.copy()
    holes.loc[4, "score"] = np.nan
    less = panel_mean(holes, ["j1", "j2"])
    assert (less.value, less.n_items, less.n_missing) == (4.5, 2, 1)
    assert less.warnings[0] == "1 item without a score of each judge: left out."


def test_what_passes_can_be_chosen():
    frame = scored([3, 8, 6, 9])
    assert pass_at_k(frame, 1, passes=7).value == 0.5
