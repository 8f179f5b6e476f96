"""Item statistics on answers that were made to be odd, and response models."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from itemeval_assets.measurement import (
    MeasurementError,
    compare,
    compare_all,
    dead_items,
    irt,
    item_statistics,
    response_matrix,
)
from itemeval_assets.measurement.items.chance import differing_by_chance
from tests.measurement.frames import LSAT6, crossed, random_scores

MODELS = [f"m{place:02d}" for place in range(16)]


def test_a_response_matrix_has_the_first_score_of_each_respondent_and_item():
    frame = random_scores(2, 5, 3)
    frame.loc[(frame["item_id"] == "q001") & (frame["replication"] == 0), "score"] = np.nan
    frame.loc[frame["item_id"] == "q004", "score"] = np.nan
    found = response_matrix(frame.sample(frac=1, random_state=1))
    assert found.index.tolist() == ["lab/m0", "lab/m1"]
    assert found.columns.tolist() == ["q000", "q001", "q002", "q003"]
    scored = frame.dropna(subset="score").sort_values("replication")
    first = scored.pivot_table("score", index="model", columns="item_id", aggfunc="first")
    pd.testing.assert_frame_equal(found, first)
    graded = frame.assign(score=frame["score"] * 7)
    assert response_matrix(graded, passes=7).equals(found)
    assert response_matrix(pa.Table.from_pandas(frame)).equals(found)


def test_a_response_matrix_needs_one_row_of_a_replication_and_one_grader():
    frame = random_scores(2, 5, 2)
    with pytest.raises(MeasurementError, match="have the same 'replication', so that none is the"):
        response_matrix(frame, respondent="passage")
    judges = [frame.assign(grade_condition_id=name) for name in ("a", "b")]
    with pytest.raises(MeasurementError, match="2 graders, which are never pooled"):
        response_matrix(pd.concat(judges))
    assert len(response_matrix(pd.concat(judges), grader="a")) == 2


def answers() -> pd.DataFrame:
    """Sixteen models of rising ability on items of rising difficulty, with odd ones among them."""
    rows = []
    for place, model in enumerate(MODELS):
        for item in range(20):
            for replication in (1, 2):
                right = place > 0.7 * item
                if item == 3:
                    right = True
                elif item == 4:
                    right = False
                elif item == 17:
                    right = place < 7
                elif item == 6:
                    right = replication == 1
                rows.append((model, f"q{item:02d}", replication, float(right), 0.01, 0.002))
    columns = ["model", "item_id", "replication", "score", "gen_usd", "grade_usd"]
    return pd.DataFrame(rows, columns=columns)


TABLE = item_statistics(answers()).set_index("item_id")


@pytest.mark.parametrize(
    ("item", "flag", "reason"),
    [
        ("q03", "always_right", "All 16 conditions score 1: it tells none apart."),
        ("q04", "always_wrong", "All 16 conditions score 0: it tells none apart. Check the key."),
        (
            "q06",
            "no_spread",
            "All 16 conditions score 0.5: it tells none apart. Replications differ",
        ),
        ("q17", "wrong_key", "Better conditions score lower on it (item-total -0."),
    ],
)
def test_odd_items_have_a_flag_and_a_reason(item, flag, reason):
    assert TABLE.loc[item, "flag"] == flag
    assert TABLE.loc[item, "reason"].startswith(reason)


def test_ordinary_items_have_none():
    assert TABLE.drop(index=["q03", "q04", "q06", "q17"])["flag"].isna().all()


def test_the_figures_of_an_item():
    row: dict[Any, Any] = TABLE.loc["q10"].to_dict()
    assert (row["difficulty"], row["n_events"], row["flips"]) == (0.5, 32, 0)
    assert row["ties"] == pytest.approx((28 + 28) / 120)
    assert row["item_total"] > 0.5
    assert TABLE["flips"].to_dict()["q06"] == 1
    assert TABLE["quarrels"].isna().all() and TABLE["item_total"].isna().to_dict()["q03"]


def test_quarrels_are_counted_over_all_graders_and_figures_over_the_one_named():
    one = answers().assign(grade_condition_id="j1")
    other = one.assign(grade_condition_id="j2")
    other.loc[other["item_id"] == "q10", "score"] = 1 - other["score"]
    table = item_statistics(pd.concat([one, other]), grader="j1").set_index("item_id")
    assert table.loc["q10", "quarrels"] == 1 and table.loc["q11", "quarrels"] == 0
    assert table.loc["q10", "flag"] == "quarrels"
    assert table["difficulty"].to_list() == TABLE["difficulty"].to_list()
    with pytest.raises(ValueError, match="never pooled"):
        item_statistics(pd.concat([one, other]))


def test_scores_by_chance_are_no_reason_for_a_flag():
    random = np.random.default_rng(8)
    scores = random.integers(0, 2, (8, 300, 2, 2)).astype(float)
    frame = crossed(scores, "model", "item_id", "replication", "grade_condition_id")
    frame["grade_condition_id"] = frame["grade_condition_id"].map({0: "j1", 1: "j2"})
    table = item_statistics(frame, grader="j1", scale=(0, 1))
    flags = table["flag"].value_counts().to_dict()
    assert flags.get("flips", 0) < 0.04 * 300 and flags.get("quarrels", 0) < 0.04 * 300
    assert (table["flips"] >= 0.5).sum() > 0.5 * 300
    one = frame["item_id"] == 7
    frame.loc[one, "score"] = frame.loc[one, "replication"].astype(float)
    frame.loc[one & (frame["grade_condition_id"] == "j2"), "score"] = 1 - frame.loc[one, "score"]
    row = item_statistics(frame, grader="j1", scale=(0, 1)).set_index("item_id").loc[7]
    assert row["reason"].endswith(
        "Graders differ on 100 % of its answers, more than by chance."
        " Replications differ in 100 % of its cells, more than by chance."
    )


def test_the_chance_of_scores_that_differ_is_that_of_dealing_them_out():
    scores = [0.0, 0.0, 1.0, 2.0, 4.0]
    for least in (1e-12, 2.0):
        dealt = [order[:3] for order in permutations(scores)]
        share = np.mean([max(three) - min(three) >= least for three in dealt])
        found = differing_by_chance(np.array(scores), np.array([3]), least)
        assert found == pytest.approx(share)


def test_equal_answers_on_which_graders_differ_are_one_quarrel():
    """A judge says the same of the same text: eight equal answers are no eight quarrels."""
    random = np.random.default_rng(2)
    answers = random_scores(2, 200, 4).assign(gen_condition_id=lambda rows: rows["model"])
    answers["score"] = random.integers(0, 2, len(answers)).astype(float)
    answers["solution"] = [f"{n}" for n in random.integers(0, 2, len(answers))]
    of_text = pd.Series(random.integers(0, 2, 400), dtype=float)
    place = answers["item_id"].str[1:].astype(int) * 2 + answers["solution"].astype(int)
    judge = answers.assign(score=of_text[place].to_numpy(), grade_condition_id="judge")
    scorer = answers.assign(score=answers["solution"].astype(float), grade_condition_id="scorer")
    both = pd.concat([judge, scorer])
    flags = item_statistics(both, grader="scorer")["flag"]
    assert (flags == "quarrels").sum() < 0.04 * 200
    by_row = item_statistics(both.drop(columns="solution"), grader="scorer")["flag"]
    assert (by_row == "quarrels").sum() > 0.1 * 200


def test_on_a_scale_only_half_of_it_is_a_quarrel_or_a_flip():
    one = answers().assign(grade_condition_id="j1")
    other = one.assign(grade_condition_id="j2", score=one["score"] + 3)
    both = pd.concat([one, other])
    on_scale = item_statistics(both, grader="j1", scale=(0, 10))
    assert (on_scale["quarrels"] == 0).all() and (on_scale["flips"] == 0).all()
    assert (item_statistics(both, grader="j1")["quarrels"] == 1).all()


def test_persons_are_conditions_where_there_are_any():
    frame = answers()
    assert item_statistics(frame.assign(gen_condition_id=frame["model"])).equals(
        item_statistics(frame)
    )


def test_dead_items_cost_money_and_no_certainty():
    frame = answers()
    found = dead_items(frame)
    assert found.items == ["q03", "q04", "q06"] and found.n_items == 20
    assert found.usd == pytest.approx(3 * 16 * 2 * 0.012)
    assert found.error_rescaled == pytest.approx(found.error_with, rel=0.05)
    two_graders = pd.concat([frame.assign(grade_condition_id=name) for name in ("j1", "j2")])
    assert dead_items(two_graders, grader="j1").usd == pytest.approx(3 * 16 * 2 * 0.014)
    alive = frame[~frame["item_id"].isin(found.items)]
    whole, part = (compare(each, "m03", "m12") for each in (frame, alive))
    assert whole.value == pytest.approx(part.value * 17 / 20)
    pairs = [
        np.mean([one.standard_error for one in compare_all(each, cluster=cluster)])
        for each, cluster in ((frame, None), (alive, None), (passages(alive), "passage"))
    ]
    assert [found.error_with, found.error_without] == pytest.approx(pairs[:2])
    assert dead_items(passages(frame), cluster="passage").error_without == pytest.approx(pairs[2])


def passages(frame: pd.DataFrame) -> pd.DataFrame:
    """With four items to a passage."""
    return frame.assign(passage=frame["item_id"].str[1:].astype(int) // 4)


def test_a_response_model_leaves_out_items_that_all_answered_alike():
    matrix = pd.DataFrame(LSAT6, columns=list("abcde")).assign(always=1)
    found = irt(matrix)
    assert found.left_out == ("always",) and list(found.items["item"]) == list("abcde")
    assert found.warnings[0].startswith("1 item answered alike by all")
    assert len(found.persons) == 1000 and (found.persons["ability_se"] > 0).all()


def test_a_response_model_takes_gaps():
    matrix = LSAT6.astype(float)
    matrix[::7, 2] = np.nan
    found = irt(matrix)
    assert found.n_missing == 143
    assert found.items["easiness"].to_numpy() == pytest.approx(
        irt(LSAT6).items["easiness"], abs=0.1
    )


def test_items_without_an_estimate_have_the_true_reason():
    """Abilities that hardly differ put easy and hard items beyond the range of mirt."""
    random = np.random.default_rng(1)
    ability, difficulty = random.normal(0, 0.25, (60, 1)), np.linspace(-2.5, 2.5, 12)
    right = random.random((60, 12)) < 1 / (1 + np.exp(difficulty - ability))
    [far] = irt(right.astype(float), "1pl").warnings
    assert far.startswith("2 items without an estimate: 0, 11; the difficulty lies beyond 6")
    matrix = pd.DataFrame(LSAT6).assign(reversed=LSAT6.sum(axis=1) < 4)
    [flat] = irt(matrix.astype(float)).warnings
    assert flat.startswith("1 item without an estimate: reversed; better respondents hardly do")


def test_one_item_that_is_not_dead_has_no_error():
    frame = crossed(np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]), "model", "item_id")
    with pytest.raises(MeasurementError, match="One item alone tells objects apart"):
        dead_items(frame)


@pytest.mark.parametrize("kind", [str, Decimal])
def test_the_first_replication_is_that_of_the_lowest_number(kind):
    frame = pd.DataFrame(
        {"model": "m", "item_id": "q", "replication": [kind(10), kind(2)], "score": [0.0, 1.0]}
    )
    assert response_matrix(frame).to_numpy().tolist() == [[1.0]]


def test_a_response_model_takes_an_arrow_table():
    matrix = pd.DataFrame(LSAT6[:200, :4], columns=list("abcd"))
    found, of_pandas = irt(pa.Table.from_pandas(matrix), "1pl"), irt(matrix, "1pl")
    pd.testing.assert_frame_equal(found.items, of_pandas.items)
    pd.testing.assert_frame_equal(found.persons, of_pandas.persons)
