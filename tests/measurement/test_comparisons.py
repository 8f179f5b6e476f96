"""Pairs on the items of both, in words; families; levels of a column."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from itemeval_assets.measurement import (
    MeasurementError,
    adjusted_by_holm,
    compare,
    compare_all,
    interaction,
    within_margin,
)
from tests.measurement.frames import crossed, random_scores, scored


def pair(a: list[float], b: list[float], **columns: Any) -> pd.DataFrame:
    items = [*(f"q{n}" for n in range(len(a))), *(f"q{n}" for n in range(len(b)))]
    frame = pd.DataFrame({"model": ["alpha"] * len(a) + ["beta"] * len(b), "item_id": items})
    return frame.assign(score=a + b, **columns)


BETTER = pair([0.9, 0.8, 0.7, 0.9] * 10, [0.8, 0.8, 0.6, 0.7] * 10)


def test_a_verdict_says_how_much_and_how_sure():
    assert compare(BETTER, "alpha", "beta", scale=(0, 1)).verdict == (
        "alpha is 10.0 points better than beta (7.7 to 12.3, 40 items)."
    )
    assert compare(BETTER, "beta", "alpha", scale=(0, 1)).verdict == (
        "beta is 10.0 points worse than alpha (7.7 to 12.3, 40 items)."
    )
    assert compare(BETTER, "alpha", "beta").verdict == (
        "alpha is 0.1 better than beta (0.0771 to 0.123, 40 items)."
    )
    ten = BETTER.assign(score=BETTER["score"] * 10)
    assert compare(ten, "alpha", "beta", scale=(0, 10)).verdict == (
        "alpha is 1 on the scale 0 to 10 better than beta (0.771 to 1.23, 40 items)."
    )


def test_of_graders_it_is_said_who_gives_higher_scores():
    graders = BETTER.rename(columns={"model": "grader_name"})
    known: dict[str, Any] = {"object": "grader_name", "scale": (0, 1)}
    higher = "alpha gives higher scores than beta: by 10.0 points (7.7 to 12.3, 40 items)."
    assert compare(graders, "alpha", "beta", **known).verdict == higher
    assert compare(graders, "beta", "alpha", **known).verdict == (
        "beta gives lower scores than alpha: by 10.0 points (7.7 to 12.3, 40 items)."
    )
    [pair] = compare_all(graders, **known)
    assert pair.verdict == higher
    [again] = adjusted_by_holm([pair], (0, 1), object="grader_name")
    assert again.verdict == higher


def test_too_close_to_call_is_said_in_words():
    found = compare(pair([1, 0, 1, 0] * 5, [0, 1, 1, 0] * 5), "alpha", "beta", scale=(0, 1))
    assert found.p > 0.9 and found.n_ties == 10
    assert found.verdict == (
        "Too close to call: 20 items cannot tell alpha from beta (0.0 points, -34.0 to 34.0)."
    )


def test_items_of_one_alone_are_left_out_and_said():
    frame = pair([1, 0, 1, 1], [0, 1, 1])
    found = compare(frame, "alpha", "beta")
    assert (found.n_items, found.n_events) == (3, 6)
    assert found.warnings[0] == "1 item with a score of alpha only: left out."


def test_a_mean_over_other_prompts_is_said():
    frame = pair([1, 0, 1], [0, 1, 1], prompt_name=["p"] * 3 + ["q"] * 3)
    assert compare(frame, "alpha", "beta").warnings[-1] == (
        "prompt_name differs: p of alpha, q of beta. The difference holds both."
    )
    same = pair([1, 0, 1], [0, 1, 1], prompt_name=["p", "q", "p"] * 2)
    assert not any("prompt_name" in words for words in compare(same, "alpha", "beta").warnings)


def test_graders_are_compared_where_asked():
    frame = pair([1, 0, 1], [0, 1, 1], grade_condition_id=["j1"] * 3 + ["j2"] * 3)
    with pytest.raises(MeasurementError, match="never pooled"):
        compare(frame, "alpha", "beta")
    frame["model"] = "alpha"
    assert compare(frame, "j1", "j2", object="grade_condition_id").n_items == 3


def test_a_family_puts_the_better_first_and_groups_what_cannot_be_told_apart():
    frame = random_scores(4, 150, 2, seed=3)
    found = compare_all(frame, scale=(0, 1))
    means = frame.groupby("model")["score"].mean()
    order = list(means.sort_values(ascending=False).index)
    assert [(one.a, one.b) for one in found[:3]] == [(order[0], other) for other in order[1:]]
    assert all(one.value >= 0 for one in found)
    assert found[0].verdict.endswith("6 pairs, Holm).")
    assert {value for group in found.groups for value in group} == set(order)
    assert found.groups[0][0] == order[0] and found.letters[order[0]].startswith("a")


def test_pairs_without_common_items_are_named():
    frame = pd.concat(
        [BETTER, BETTER.assign(model=BETTER["model"] + "-2", item_id=BETTER["item_id"] + "x")]
    )
    found = compare_all(frame)
    assert len(found) == 2 and len(found.left_out) == 4
    assert found.left_out[0][2].endswith("a comparison needs two or more.")


def test_an_interaction_is_found_where_it_is():
    random = np.random.default_rng(0)
    frame = random_scores(2, 200, 1, binary=False)
    frame["topic"] = ["abcd"[int(name[1:]) % 4] for name in frame["item_id"]]
    frame["score"] = random.normal(0, 1, len(frame))
    none = interaction(frame, "lab/m0", "lab/m1", by="topic")
    assert none.p > 0.05 and none.verdict.startswith("200 items cannot tell whether")
    boosted = (frame["topic"] == "a") & (frame["model"] == "lab/m0")
    found = interaction(
        frame.assign(score=frame["score"] + 2 * boosted), "lab/m0", "lab/m1", by="topic"
    )
    assert found.p < 1e-6 and found.verdict.startswith("How much lab/m0 and lab/m1 differ depends")
    assert found.levels["a"].value == pytest.approx(none.levels["a"].value + 2)


def test_levels_with_one_item_are_left_out_with_the_reason():
    frame = BETTER.assign(topic=["x"] * 20 + ["y"] * 19 + ["z"] + ["x"] * 20 + ["y"] * 19 + ["z"])
    found = interaction(frame, "alpha", "beta", by="topic")
    assert set(found.levels) == {"x", "y"}
    assert found.left_out["z"].startswith("alpha and beta share one item")


def test_clusters_across_levels_are_refused():
    frame = BETTER.assign(topic=["x", "y"] * 40, cluster=["c", "c", "d", "d"] * 20)
    with pytest.raises(MeasurementError, match="levels are not independent"):
        interaction(frame, "alpha", "beta", by="topic", cluster="cluster")


def test_differences_of_anything_may_be_a_family():
    frame = random_scores(3, 40, 1)
    pairs = compare_all(frame, scale=(0, 1))
    alone = [compare(frame, one.a, one.b, scale=(0, 1)) for one in pairs]
    assert adjusted_by_holm(alone, (0, 1)) == list(pairs)
    assert adjusted_by_holm(list(pairs), (0, 1)) == list(pairs)
    assert adjusted_by_holm([]) == []


def test_a_family_says_of_each_pair_what_it_says_alone():
    """Also of cells that are missing, and of means outside of the scale."""
    frame = random_scores(5, 12, 2, binary=False)
    frame.loc[::7, "score"] = np.nan
    family = compare_all(frame, scale=(0, 8))
    for one in family:
        alone = compare(frame, one.a, one.b, scale=(0, 8))
        assert one.bounds == alone.bounds is not None
        assert replace(alone, p=one.p, verdict=one.verdict) == one
    assert any("outside of the scale" in words for one in family for words in one.warnings)


@pytest.mark.parametrize("n_items", [4, 7, 8, 30])
def test_words_interval_and_p_agree_where_all_items_differ_by_the_same(n_items):
    random = np.random.default_rng(3)
    items = random.random(n_items)
    frame = crossed(np.stack([items + shift for shift in (0.0, 0.3, 0.7, 1.2)]), "model", "item_id")
    for one in compare_all(frame):
        differs = one.p < 0.05
        assert differs == (not one.low <= 0 <= one.high), one.verdict
        assert differs != one.verdict.startswith("Too close to call")
        assert "for this pair alone" not in one.verdict
        assert one.low <= one.value <= one.high


def test_an_interval_without_0_beside_a_family_that_tells_nothing_is_that_of_the_pair_alone():
    random = np.random.default_rng(5)
    frame = crossed(
        random.normal(0, 1, (4, 60)) + np.array([[0], [0], [0], [0.42]]), "m", "item_id"
    )
    found = compare_all(frame, object="m")
    odd = [one for one in found if one.p >= 0.05 and not one.low <= 0 <= one.high]
    assert odd and all(" for this pair alone; 6 pairs, Holm)." in one.verdict for one in odd)


def test_bounds_of_a_difference_fill_what_is_missing():
    frame = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 4,
            "item_id": [1, 2, 3, 4] * 2,
            "score": [1, 0, np.nan, 1, 0, 1, 0, np.nan],
        }
    )
    found = compare(frame, "a", "b", scale=(0, 1))
    assert found.bounds == (pytest.approx(2 / 4 - 2 / 4), pytest.approx(3 / 4 - 1 / 4))
    [of_all] = compare_all(frame, scale=(0, 1))
    assert of_all.bounds == found.bounds
    assert compare(frame, "a", "b").bounds is None


def test_a_pair_without_an_item_in_common_has_no_bounds_even_where_scores_are_missing():
    frame = scored([1, None, 0, None], model=["a", "a", "b", "b"])
    with pytest.raises(MeasurementError, match=r"share no item with a score of both.*more\.$"):
        compare(frame, "a", "b", scale=(0, 1))


def test_within_a_margin_is_where_the_interval_lies_within():
    random = np.random.default_rng(2)
    for _ in range(20):
        a, b = random.normal(0, 1, (2, 30))
        frame = crossed(np.stack([a, b]), "model", "item_id")
        found = compare(frame, 0, 1)
        for margin in (0.2, 0.5, 0.8):
            inside = -margin < found.low and found.high < margin
            assert (within_margin(found, margin) < 0.05) == inside
    same = crossed(np.ones((2, 100)), "model", "item_id")
    alike = compare(same, 0, 1, scale=(0, 1))
    assert within_margin(alike, 0.05, (0, 1)) == pytest.approx(2 * 0.95**100)
    assert within_margin(alike, 0.05) == 1


def test_a_reason_of_many_levels_is_said_once_with_their_number():
    frame = random_scores(2, 40).rename(columns={"passage": "topic"})
    with pytest.raises(MeasurementError, match=r"lie in one cluster.* \(20 levels\)$") as raised:
        interaction(frame, "lab/m0", "lab/m1", by="topic", cluster="topic")
    assert str(raised.value).count("lie in one cluster") == 1
