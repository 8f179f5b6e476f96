"""Severity, self-preference, length and repeats, on scores that were made with them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from itemeval_assets.measurement import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlation,
    judge_severity,
    krippendorff_alpha,
    length_slope,
    rating_matrix,
    self_agreement,
    self_preference,
)

JUDGES = {"a/judge": 1.0, "b/judge": -0.5, "c/judge": -0.5}
MODELS = {"a/one": 5.0, "b/one": 6.0, "d/one": 4.0}


def graded(noise: float = 0.0, preference: float = 0.0, items: int = 30) -> pd.DataFrame:
    """Each judge on each answer: the level of the model, of the judge, and its preference."""
    random = np.random.default_rng(0)
    rows = []
    for model, level in MODELS.items():
        for item in range(items):
            for judge, severity in JUDGES.items():
                own = preference * (model[0] == judge[0])
                score = level + item / 10 + severity + own + random.normal(0, noise or 1e-9)
                rows.append((model, f"q{item}", 1, judge, f"by {judge}", score, "x" * (10 + item)))
    columns = "model item_id replication grader_model grade_condition_id score solution"
    frame = pd.DataFrame(rows, columns=columns.split())
    return frame.assign(gen_condition_id=frame["model"])


def test_severity_is_the_distance_to_the_mean_of_the_judges():
    found = judge_severity(graded())
    assert {name: round(one.value, 6) for name, one in found.items()} == {
        "by a/judge": 1.0,
        "by b/judge": -0.5,
        "by c/judge": -0.5,
    }
    assert found["by a/judge"].method.startswith("against the mean of 3 judges")


def test_judges_that_never_differ_have_a_severity_without_spread_and_not_that_of_a_share():
    [one, other, *_] = judge_severity(graded().assign(score=1.0)).values()
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high) == (0, 0, 0)
    assert "no spread" in one.method
    assert one.warnings == ("All items have the same value, 0: without spread no interval.",)


def test_severity_leaves_out_answers_that_a_judge_lacks():
    frame = graded(0.1)
    frame = frame.drop(index=frame.index[0])
    found = judge_severity(frame)["by a/judge"]
    assert found.n_events == 89
    assert found.warnings[0] == "1 answer without a score of each judge: left out."


def test_self_preference_is_what_was_put_in():
    found = self_preference(graded(0.2, preference=0.8))
    assert set(found) == {"a", "b", "all"}
    for estimate in found.values():
        assert estimate.low < 0.8 < estimate.high
    none = self_preference(graded(0.2))
    assert none["a"].low < 0 < none["a"].high


def test_the_preference_of_one_is_not_laid_on_another():
    frame = graded(0.2)
    own = (frame["grader_model"] == "a/judge") & (frame["model"] == "a/one")
    found = self_preference(frame.assign(score=frame["score"] + 0.8 * own))
    assert found["a"].low < 0.8 < found["a"].high
    assert found["b"].low < 0 < found["b"].high


def test_two_by_two_has_one_figure_for_both():
    frame = graded(0.2, preference=0.8)
    two = frame[
        frame["grader_model"].str[0].isin(["a", "b"]) & frame["model"].str[0].isin(["a", "b"])
    ]
    found = self_preference(two)
    assert set(found) == {"all"}
    assert found["all"].low < 0.8 < found["all"].high


def test_families_can_be_said():
    frame = graded(0.2, preference=0.8).replace({"grader_model": {"a/judge": "proxy/judge"}})
    assert set(self_preference(frame)) == {"b", "all"}
    assert set(self_preference(frame, families={"proxy/judge": "a"})) == {"a", "b", "all"}


def test_scores_by_a_scorer_are_no_part_of_self_preference():
    frame = graded(0.2, preference=0.8)
    scorer = frame[frame["grader_model"] == "a/judge"].assign(
        grader_model=None, grade_condition_id="scorer", score=100.0
    )
    with_scorer = pd.concat([frame, scorer], ignore_index=True)
    for found in (self_preference(with_scorer), self_preference(pa.Table.from_pandas(with_scorer))):
        assert found["a"].value == pytest.approx(self_preference(frame)["a"].value)


@pytest.mark.parametrize("make", [lambda frame: frame, pa.Table.from_pandas])
def test_the_slope_on_length_is_per_thousand_characters(make):
    frame = graded(0.01)
    sizes = np.random.default_rng(1).integers(10, 500, len(frame))
    frame["solution"] = ["x" * size for size in sizes]
    frame["score"] += 3 * sizes / 1000
    found = length_slope(make(frame))
    assert set(found) == set(frame["grade_condition_id"])
    frame["grade_condition_id"], frame["replication"] = "all", range(len(frame))
    frame["score"] -= frame["grader_model"].map(JUDGES)
    slope = length_slope(make(frame), within=["model"])["all"]
    assert slope.low < 3 < slope.high and slope.high - slope.low < 0.1


def test_a_slope_of_answers_of_almost_one_length_says_so():
    lengths = graded(0.1).assign(solution=lambda rows: 20 + 5 * (rows["model"] == "a/one"))
    for estimate in length_slope(lengths).values():
        assert estimate.warnings[0].startswith("Answers to an item differ by 2.36 characters only")


def test_answers_of_one_length_have_no_slope():
    with pytest.raises(ValueError, match="answers differ in length within fewer than two"):
        length_slope(graded().assign(solution="same"))


def test_a_matrix_of_ratings_goes_into_alpha():
    matrix = rating_matrix(graded(0.1))
    assert matrix.shape == (3, 90)
    assert list(matrix.columns.names) == ["gen_condition_id", "item_id", "replication"]
    assert krippendorff_alpha(matrix, level="interval").n_events == 270
    holes = rating_matrix(graded(0.1)[1:])
    assert holes.isna().sum().sum() == 1


def test_a_judge_that_repeats_itself_agrees_with_itself():
    frame = graded(0.3)
    frame["score"] = frame["score"].round()
    once = frame[frame["grader_model"] == "a/judge"]
    again = once.assign(grade_condition_id="by a/judge, repeat 2")
    same = self_agreement(pd.concat([once, again]), ["by a/judge", "by a/judge, repeat 2"])
    assert (same.alpha.value, same.same.value, same.n_repeats) == (1, 1, 2)
    changed = again.assign(score=again["score"] + (again["item_id"] < "q2"))
    less = self_agreement(pd.concat([once, changed]), ["by a/judge", "by a/judge, repeat 2"])
    assert less.alpha.value < 1
    assert less.same.value == pytest.approx((again["item_id"] >= "q2").mean())


FIGURES = {
    "alpha": lambda ratings, **shared: krippendorff_alpha(ratings, level="interval", **shared),
    "nominal alpha": krippendorff_alpha,
    "kappa": lambda ratings, **shared: cohen_kappa(ratings[0], ratings[1], **shared),
    "weighted kappa": lambda ratings, **shared: cohen_kappa(
        ratings[0], ratings[1], weights="quadratic", **shared
    ),
    "Fleiss' kappa": lambda ratings, **shared: fleiss_kappa(
        np.stack([(ratings == value).sum(axis=0) for value in range(4)], axis=1), **shared
    ),
    "ICC(1,1)": lambda ratings, **shared: intraclass_correlation(ratings.T, form="1,1", **shared),
    "ICC(2,1)": lambda ratings, **shared: intraclass_correlation(ratings.T, form="2,1", **shared),
    "ICC(2,k)": lambda ratings, **shared: intraclass_correlation(ratings.T, form="2,k", **shared),
    "ICC(3,1)": lambda ratings, **shared: intraclass_correlation(ratings.T, form="3,1", **shared),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_answers_to_one_item_are_no_independent_units(figure: str):
    """Six answers that are rated alike tell no more than one."""
    random = np.random.default_rng(4)
    truth = random.normal(1.5, 1, 40)
    ratings = np.clip(np.round(truth + random.normal(0, 0.7, (3, 40))), 0, 3)
    repeated = np.repeat(ratings, 6, axis=1)
    items = [f"q{place // 6}" for place in range(240)]
    estimated = FIGURES[figure]
    once, same = estimated(ratings), estimated(repeated, item=items)
    assert (same.n_items, same.n_clusters) == (40, 40)
    assert same.value == pytest.approx(once.value, abs=0.02)
    assert same.standard_error == pytest.approx(once.standard_error, rel=0.15)
    assert same.high - same.low == pytest.approx(once.high - once.low, rel=0.2)
    naive = estimated(repeated)
    assert naive.standard_error < 0.6 * same.standard_error
    wider = estimated(repeated, item=items, cluster=[f"p{place // 12}" for place in range(240)])
    assert (wider.n_items, wider.n_clusters) == (40, 20)
    assert "Only 20 independent clusters" in wider.warnings[-1]


def test_the_clustered_error_of_kappa_is_the_published_one_without_clusters():
    random = np.random.default_rng(5)
    a, b = np.round(random.normal(2, 1, (2, 50)) + random.normal(0, 1.5, 50)).tolist()
    for weights in (None, "linear", "quadratic"):
        plain = cohen_kappa(a, b, weights=weights)
        twice = cohen_kappa(a * 2, b * 2, weights=weights, item=[*range(50), *range(50)])
        assert twice.n_clusters == 50
        assert twice.standard_error == pytest.approx(
            plain.standard_error * np.sqrt(50 / 49), rel=1e-9
        )


def test_units_with_bad_clusters_are_refused():
    ratings = np.array([[1.0, 2, 3, 4], [1, 2, 4, 4]])
    with pytest.raises(ValueError, match="item has 2 values for 4 units"):
        krippendorff_alpha(ratings, item=["a", "b"])
    with pytest.raises(ValueError, match="cluster is empty for 1 units"):
        krippendorff_alpha(ratings, cluster=["a", None, "b", "b"])
    with pytest.raises(ValueError, match="All units are of one item"):
        krippendorff_alpha(ratings, item=["a"] * 4)
    with pytest.raises(ValueError, match=r"in one cluster.*take items for indep"):
        krippendorff_alpha(ratings, item=list("aabb"), cluster=["p"] * 4)
    with pytest.raises(ValueError, match="more than one cluster"):
        krippendorff_alpha(ratings, item=list("aabb"), cluster=list("pqrr"))
