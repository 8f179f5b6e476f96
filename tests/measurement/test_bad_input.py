"""What allows no estimate is refused in words; what is odd is a result that says so."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from itemeval_assets.measurement import (
    MeasurementError,
    cohen_kappa,
    compare,
    compare_all,
    decision_study,
    fleiss_kappa,
    interaction,
    intraclass_correlation,
    irt,
    item_statistics,
    judge_severity,
    krippendorff_alpha,
    length_slope,
    majority_at_k,
    mcnemar,
    mean_score,
    mean_scores,
    pass_at_k,
    rating_matrix,
    self_preference,
    variance_components,
    wilson_interval,
)
from itemeval_assets.measurement.reliability import components
from tests.measurement.frames import LSAT6, crossed, random_scores, scored

FRAME = random_scores(2, 20, 2)
ONE_RATER = [[1.0, 2.0, 3.0]]


def two_judges() -> pd.DataFrame:
    parts = [FRAME.assign(grade_condition_id=judge) for judge in ("judge-a", "judge-b")]
    return pd.concat(parts, ignore_index=True)


OPPOSED = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 2.0]]
ONE_DIFFERS = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]

REFUSED: dict[str, tuple[Any, str]] = {
    "no frame": (lambda: mean_score([1, 2]), "pandas DataFrame or a pyarrow Table, not a list"),
    "raters that are opposed": (
        lambda: intraclass_correlation(OPPOSED, form="2,k"),
        "All units have the same mean rating",
    ),
    "one unit that varies": (
        lambda: intraclass_correlation(ONE_DIFFERS, form="2,1"),
        "allow no ICC",
    ),
    "no rows": (lambda: mean_score(FRAME[:0]), "has no rows"),
    "no column": (
        lambda: mean_score(FRAME, item="item"),
        "no column 'item'. Did you mean 'item_id'",
    ),
    "text": (lambda: mean_score(scored(["A", "B"])), "'score' does not hold numbers"),
    "dates": (lambda: mean_score(scored([pd.Timestamp(0)] * 3)), "does not hold numbers"),
    "infinite": (lambda: mean_score(scored([1, math.inf])), "1 infinite values"),
    "huge": (lambda: mean_score(scored([0, 1e200])), "numbers of 1e+200: so large ones cannot be"),
    "tiny": (lambda: mean_score(scored([0, 1e-200])), "1e-200 at most, which are next to 0"),
    "huge variance": (
        lambda: compare_all(FRAME.assign(score=1e100 * FRAME["score"])),
        "cannot be averaged",
    ),
    "huge ratings": (lambda: krippendorff_alpha([[1, 1e200], [1, 2]], level="ratio"), "averaged"),
    "a huge ICC": (lambda: intraclass_correlation([[1, 1e200], [1, 2], [3, 4]]), "cannot be av"),
    "a huge scale": (lambda: mean_score(FRAME, scale=(0, 1e300)), "scale is (0, 1e+300)"),
    "all missing": (lambda: mean_score(scored([None, None])), "All 2 rows have an empty 'score'"),
    "one item": (lambda: mean_score(scored([1.0])), "needs two or more"),
    "one item of a group": (
        lambda: mean_scores(scored([1, 0, 1], topic=["a", "a", "b"]), by="topic"),
        "One item of 'b'",
    ),
    "one cluster": (
        lambda: mean_score(scored([1, 0], p=["x", "x"]), cluster="p"),
        "in one cluster",
    ),
    "a cluster with gaps": (
        lambda: mean_score(scored([1, 0, 1], p=["x", None, "y"]), cluster="p"),
        "'p' is empty for 1 item: q1. Fill it, or leave these items out.",
    ),
    "an item in two clusters": (
        lambda: mean_score(FRAME.assign(p=range(len(FRAME))), cluster="p"),
        "lies in more than one 'p'",
    ),
    "items that are lists": (
        lambda: mean_score(pd.DataFrame({"item_id": [["a"], ["b"]], "score": [1, 0]})),
        "'item_id' holds lists or mappings",
    ),
    "items that are lists of Arrow": (
        lambda: mean_score(pa.table({"item_id": [["a"], ["b"]], "score": [1, 0]})),
        "'item_id' holds lists or mappings",
    ),
    "items that are mappings": (
        lambda: mean_score(pa.table({"item_id": [{"a": 1}, {"a": 2}], "score": [1, 0]})),
        "'item_id' holds lists or mappings",
    ),
    "integers beyond a double": (lambda: mean_score(scored([0, 10**400])), "larger than a double"),
    "complex scores": (
        lambda: mean_score(scored(np.array([1 + 2j, 0, 1]).tolist())),
        "'score' does not hold numbers",
    ),
    "complex ratings": (lambda: krippendorff_alpha([[1j, 2], [1, 2]]), "complex"),
    "a complex ICC": (
        lambda: intraclass_correlation(np.array([[1j, 2], [1, 2], [3, 4]])),
        "ratings",
    ),
    "ragged ratings": (lambda: krippendorff_alpha([[1, 2], [1]]), "as many units of each rater"),
    "more cells than a number counts": (
        lambda: mean_score(FRAME, missing=10**30),
        "at most 2^53",
    ),
    "more cells than a double holds": (lambda: mean_score(FRAME, missing=10**400), "missing is 1"),
    "a slope by a very large number": (
        lambda: length_slope(two_judges().assign(size=range(160)), length="size", per=1e308),
        "per is 1e+308: give a number of characters above 0, from 1e-09 to 1e+09",
    ),
    "an item without a name": (
        lambda: mean_score(pd.DataFrame({"item_id": ["a", None], "score": [1, 0]})),
        "'item_id' is empty",
    ),
    "two graders": (lambda: mean_score(two_judges()), "2 graders, which are never pooled"),
    "two graders to compare": (lambda: compare(two_judges(), "lab/m0", "lab/m1"), "never pooled"),
    "two graders as noise": (
        lambda: variance_components(two_judges(), ["model", "item_id"]),
        "make the grader a facet",
    ),
    "an unknown grader": (
        lambda: mean_score(two_judges(), grader="judge"),
        "no grader 'judge'. It has: judge-a, judge-b",
    ),
    "a row twice": (
        lambda: mean_score(
            pd.concat([FRAME, FRAME[:3]]).assign(gen_condition_id="g", grade_condition_id="s"),
        ),
        "rows repeat another one",
    ),
    "a level of 95": (lambda: mean_score(FRAME, level=95), "level is 95: give a share"),
    "a level so near 1 that no limit is finite": (
        lambda: mean_score(FRAME, level=0.9999999999999999),
        "level is 0.9999999999999999: give a share from 0.5 to 0.9999",
    ),
    "a level of a guess": (lambda: compare(FRAME, "lab/m0", "lab/m1", level=0.4), "from 0.5 to"),
    "a scale upside down": (lambda: mean_score(FRAME, scale=(1, 0)), "scale is (1, 0)"),
    "half a cell": (lambda: mean_score(FRAME, missing=-1), "whole numbers, 0 or more"),
    "one condition": (lambda: compare_all(FRAME[FRAME.model == "lab/m0"]), "one value with scores"),
    "half a million pairs": (
        lambda: compare_all(crossed(np.eye(1001)[:, :3], "model", "item_id")),
        "1,001 values of 'model' have 500,500 pairs: all pairs are for up to 1,000. Take fewer",
    ),
    "a is b": (lambda: compare(FRAME, "lab/m0", "lab/m0"), "choose two different values"),
    "unknown model": (
        lambda: compare(FRAME, "lab/m0", "m1"),
        "'m1' is no value of 'model'. It has: lab/m0, lab/m1",
    ),
    "no item of both": (
        lambda: compare(scored([1, 0, 1, 0], model=["a", "a", "b", "b"]), "a", "b"),
        "a and b share no item",
    ),
    "no pair shares items": (
        lambda: compare_all(scored([1, 0, 1, 0], model=["a", "a", "b", "b"])),
        "No pair can be compared. a and b share no item",
    ),
    "nothing to depend on": (
        lambda: interaction(FRAME.assign(topic="t"), "lab/m0", "lab/m1", by="topic"),
        "needs two levels of 'topic'",
    ),
    "levels within an item": (
        lambda: interaction(FRAME, "lab/m0", "lab/m1", by="replication"),
        "more than one value of 'replication'",
    ),
    "too few replications": (
        lambda: pass_at_k(FRAME[FRAME.model == "lab/m0"], 9),
        "choose k from 1 to 2",
    ),
    "two models as replications": (
        lambda: pass_at_k(FRAME, 3),
        "2 values of 'model', which are never pooled as replications: lab/m0, lab/m1. Choose",
    ),
    "two conditions as replications": (
        lambda: majority_at_k(FRAME.assign(model="m", gen_condition_id=FRAME["model"]), 3),
        "2 values of 'gen_condition_id', which are never pooled",
    ),
    "a prompt and none as replications": (
        lambda: pass_at_k(
            FRAME.assign(model="m", prompt_name=FRAME["model"].where(FRAME.model == "lab/m0")), 2
        ),
        "2 values of 'prompt_name', which are never pooled as replications: (empty), lab/m0",
    ),
    "ems with a hole": (
        lambda: variance_components(FRAME[1:], ["model", "item_id"], method="ems"),
        "1 of 80 cells (2 model x 20 item_id x 2 residual) have no score. Use method='reml'",
    ),
    "a facet with one level": (
        lambda: variance_components(FRAME.assign(prompt="p"), ["model", "item_id", "prompt"]),
        "'prompt' has one level",
    ),
    "a nest that nobody told": (
        lambda: variance_components(FRAME, ["model", "item_id", "passage"]),
        "'item_id' is nested in 'passage'",
    ),
    "all fixed": (
        lambda: variance_components(
            FRAME[FRAME.replication == 0], ["model", "item_id"], fixed=["model", "item_id"]
        ),
        "All facets are fixed",
    ),
    "a strange method": (
        lambda: variance_components(FRAME, ["model", "item_id"], method="anova"),  # type: ignore[arg-type]
        "choose auto, ems or reml",
    ),
    "a strange facet": (
        lambda: decision_study(variance_components(FRAME, ["model", "item_id"]), {"rater": 3}),
        "'rater' is no facet to choose a number for. These are: item_id",
    ),
    "no items at all": (
        lambda: decision_study(variance_components(FRAME, ["model", "item_id"]), {"item_id": 0}),
        "n of 'item_id' is 0",
    ),
    "one rater": (lambda: krippendorff_alpha(ONE_RATER), "at least two raters"),
    "all the same": (lambda: krippendorff_alpha([[1, 1], [1, 1]]), "Alpha is not defined"),
    "negative ratios": (lambda: krippendorff_alpha([[1, -2], [1, 2]], level="ratio"), "0 or more"),
    "a level for alpha": (
        lambda: krippendorff_alpha([[1, 2], [1, 2]], level=0.95),  # type: ignore[arg-type]
        "level of the interval is confidence=",
    ),
    "one category": (lambda: cohen_kappa(["a", "a"], ["a", "a"]), "share of equal ratings"),
    "a category left out": (
        lambda: cohen_kappa(["a", "b"], ["b", "a"], categories=["a", "c"]),
        "'b' was rated, and is not in categories=",
    ),
    "unequal lengths": (lambda: cohen_kappa([1, 2], [1]), "give one of each unit"),
    "uneven raters": (lambda: fleiss_kappa([[3, 0], [2, 2]]), "Use krippendorff_alpha"),
    "one category of many": (lambda: fleiss_kappa([[3, 0], [3, 0]]), "of one category"),
    "gaps in an ICC": (
        lambda: intraclass_correlation([[1, 2], [np.nan, 1], [3, 4]]),
        "1 units lack a rating",
    ),
    "a strange form": (
        lambda: intraclass_correlation([[1, 2], [2, 1], [3, 4]], form="2,3"),
        'or "k" (2 raters',
    ),
    "an ICC of constants": (lambda: intraclass_correlation(np.ones((5, 3))), "no variance"),
    "a 3 x 3 table": (lambda: mcnemar(np.ones((3, 3))), "not 2 x 2"),
    "more items than a number counts": (
        lambda: mcnemar([[1, 1e30], [1e30, 1]]),
        "whole numbers of at most 2^53",
    ),
    "more right than asked": (lambda: wilson_interval(3, 2), "3 of 2 is no proportion"),
    "few respondents": (lambda: irt(LSAT6[:29]), "29 respondents: item response theory needs 30"),
    "graded answers": (lambda: irt(LSAT6 * 2), "Answers are 0 or 1"),
    "a condition twice": (lambda: irt(pd.DataFrame(LSAT6, index=[1] * 1000)), "Respondents repeat"),
    "one item alone": (lambda: item_statistics(scored([1, 0], model=["a", "b"])[:1]), "One item"),
    "a slope of constants": (
        lambda: length_slope(two_judges().assign(score=0.3, size=range(160)), length="size"),
        "same score, so a slope cannot be estimated",
    ),
    "one judge": (
        lambda: judge_severity(
            FRAME.assign(grade_condition_id="j", gen_condition_id=FRAME["model"])
        ),
        "agreement needs two",
    ),
    "answers that repeat": (
        lambda: rating_matrix(two_judges(), answer=["item_id"]),
        "a judge has 4 scores of one answer",
    ),
    "one family": (
        lambda: self_preference(two_judges().assign(grader_model="lab/judge")),
        "Say which id is of which family (families)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_words(case):
    call, words = REFUSED[case]
    with pytest.raises(MeasurementError) as error:
        call()
    assert words.lower() in str(error.value).lower()


def figures(found: Any) -> list[float]:
    return [value for value in dataclasses.asdict(found).values() if isinstance(value, float)]


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_constant_scores_are_a_result(kind):
    def as_kind(frame):
        return pa.table(frame.to_dict("list")) if kind == "arrow" else frame

    right = mean_score(as_kind(scored([1.0] * 30)))
    assert (right.value, right.method, right.high) == (1.0, "Wilson", 1.0)
    assert right.low == wilson_interval(30, 30).low
    graded = mean_score(as_kind(scored([0.3] * 30)))
    assert (graded.low, graded.value, graded.high, graded.standard_error) == (0.3, 0.3, 0.3, 0)
    assert graded.warnings == ("All items have the same value, 0.3: without spread no interval.",)
    clusters = mean_score(as_kind(scored([1] * 30, p=[n // 2 for n in range(30)])), cluster="p")
    assert clusters.low == wilson_interval(15, 15).low


def test_two_that_always_tie_are_too_close_to_call():
    frame = scored([1.0, 0.0] * 40, model=["a"] * 40 + ["b"] * 40)
    frame["item_id"] = [f"q{place % 40}" for place in range(80)]
    found = compare(frame, "a", "b")
    assert (found.value, found.p, found.p_mcnemar, found.n_ties) == (0, 1, 1, 40)
    assert found.low == -wilson_interval(0, 40).high == -found.high
    assert found.verdict.startswith("Too close to call: 40 items cannot tell a from b")
    graded = compare(frame.assign(score=frame["score"] / 2), "a", "b")
    assert graded.verdict == "Too close to call: a and b have the same score on all 40 items."


def test_a_difference_without_spread_has_the_p_of_a_sign_test():
    frame = pd.DataFrame(
        {
            "item_id": [*range(10)] * 2,
            "model": ["a"] * 10 + ["b"] * 10,
            "score": [1.0] * 10 + [0.0] * 10,
        }
    )
    found = compare(frame, "a", "b")
    assert found.p == found.p_mcnemar == 2 * 0.5**10
    assert (found.value, found.high) == (1, 1) and 0 < found.low < 1
    few = compare(frame[frame["item_id"] < 3], "a", "b")
    assert few.p == 0.25 and few.low <= 0
    assert few.verdict.startswith("Too close to call")


def test_constant_scores_have_no_variance_to_divide():
    found = variance_components(FRAME.assign(score=0.5), ["model", "item_id"])
    assert (found.table["variance"] == 0).all() and (found.table["high"] == 0).all()
    assert found.warnings[0] == "All scores are 0.5: there is no variance to divide."
    study = decision_study(found)
    assert (study.absolute_error, study.generalizability, study.dependability) == (0, None, None)


def test_scores_outside_of_the_scale_are_kept_and_said():
    found = mean_score(scored([0, 5, 12, 7]), scale=(0, 10))
    assert found.value == 6
    assert found.warnings[0] == "1 scores lie outside of the scale 0 to 10, and are kept."


def test_categories_that_nobody_used_change_no_unweighted_kappa():
    a, b = [1, 1, 2, 3, 3, 2], [1, 2, 2, 3, 1, 2]
    wide = [1, 2, 3, 4, 5]
    assert cohen_kappa(a, b, categories=wide).value == pytest.approx(cohen_kappa(a, b).value)
    assert math.isfinite(cohen_kappa(a, b, weights="quadratic", categories=wide).low)
    counts = np.array([[2, 1, 0], [0, 3, 0], [3, 0, 0], [1, 2, 0]])
    assert fleiss_kappa(counts).value == pytest.approx(fleiss_kappa(counts[:, :2]).value)


def test_perfect_agreement_has_an_interval():
    answers = ["a", "b"] * 25
    for found in (
        cohen_kappa(answers, answers),
        krippendorff_alpha([answers, answers]),
        fleiss_kappa([[2, 0], [0, 2]] * 25),
    ):
        assert (found.value, found.high, found.standard_error) == (1, 1, 0)
        assert 0.7 < found.low < 0.9
        assert "disagree" in found.warnings[-1]


def test_rows_without_a_score_are_counted_everywhere():
    frame = FRAME.copy()
    frame.loc[[0, 41], "score"] = np.nan
    assert mean_score(frame).n_missing == 2
    assert compare(frame, "lab/m0", "lab/m1").n_missing == 2
    components = variance_components(frame, ["model", "item_id"])
    assert (components.n_missing, components.method) == (2, "reml")
    assert components.reason.startswith("2 of 80 cells")
    assert components.warnings[0] == "2 rows without a score are left out."


def test_a_thousand_conditions():
    random = np.random.default_rng(0)
    frame = crossed((random.random((1000, 5)) < 0.5).astype(float), "model", "item_id")
    assert len(mean_scores(frame, by="model")) == 1000
    found = compare_all(frame[frame["model"] < 150])
    assert len(found) == 150 * 149 / 2
    assert found.groups == () and "too many to group" in found.warnings[0]


@pytest.mark.parametrize("scores", [[1, 0, 1, 1], [0.5, 0.5, 0.2, None], [1, 1, 1, None]])
def test_nothing_is_ever_nan(scores):
    frame = scored(scores * 2, model=["a"] * 4 + ["b"] * 4)
    frame["item_id"] = [f"q{place % 4}" for place in range(8)]
    for found in (mean_score(frame[:4], scale=(0, 1), missing=2), compare(frame, "a", "b")):
        assert all(math.isfinite(value) for value in figures(found))
        assert found.low <= found.value <= found.high


def test_reml_without_a_maximum_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(*_: object) -> None:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr(components, "by_likelihood", singular)
    with pytest.raises(MeasurementError, match="REML finds no components in the 79 scores"):
        variance_components(FRAME.iloc[1:], ["model", "item_id"])


@pytest.mark.parametrize("form", ["1,1", "1,k", "2,1", "2,k", "3,1", "3,k"])
@pytest.mark.parametrize("items", [1, 2])
def test_few_right_or_wrong_answers_give_an_icc_within_its_interval_or_a_reason(form, items):
    random = np.random.default_rng(0)
    for n in (3, 4, 6, 12):
        for _ in range(40):
            ratings = random.integers(0, 2, (n, 2)).astype(float)
            try:
                found = intraclass_correlation(ratings, form=form, item=np.arange(n) // items)
            except MeasurementError:
                continue
            assert found.low <= found.value <= found.high <= 1
            assert math.isfinite(found.low) and math.isfinite(found.standard_error)


def test_a_difference_of_scores_outside_of_the_scale_is_not_cut_and_says_so():
    wide = FRAME.assign(score=np.where(FRAME["model"] == FRAME["model"][0], 3.0, FRAME["score"]))
    a, b = wide["model"].unique()
    found, free = compare(wide, a, b, scale=(0, 1)), compare(wide, a, b)
    assert (found.low, found.high) == (free.low, free.high) and found.high > found.value
    assert any("outside of the scale 0 to 1" in said for said in found.warnings)
    assert not any("outside" in said for said in compare(FRAME, a, b, scale=(0, 1)).warnings)
