"""`scores`: a mean has its interval, and says what it leaves out and what that could change."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets import measurement
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages.figures.item_columns import NO_GROUP
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.scores.scores import scores
from itemeval_assets.storage.study.store import open_store
from tests.scored import scored_study
from tests.studies import PROMPTS

RIGHT = {"mockllm/alpha": 4, "mockllm/beta": 2}


def right(model: str, grader: str, n: int, epoch: int) -> float:
    return float(n < RIGHT[model])


def test_a_mean_is_that_of_the_package(tmp_path: Path) -> None:
    study = scored_study(tmp_path, right)
    found = ie.scores(study)
    assert [(row.condition, row.graded_by) for row in found.rows[:2]] == [
        ("alpha · short", "numeric"),
        ("alpha · short", "strict_judge · strict"),
    ]
    frame = pd.DataFrame({"item_id": range(6), "score": [1, 1, 1, 1, 0, 0]})
    expected = measurement.mean_score(frame, scale=(0, 1))
    row = found.rows[0]
    assert (row.mean, row.low, row.high) == (expected.value, expected.low, expected.high)
    assert (row.n_items, row.n_events, row.cells, row.left_out) == (6, 6, 6, {})
    assert (row.scale, row.bounds, row.method) == ((0, 1), None, "Wilson")


def test_so_few_items_prove_nothing(tmp_path: Path) -> None:
    assert (
        ie.scores(scored_study(tmp_path, right))
        .words[0]
        .startswith("Only 6 items: so few prove nothing about others")
    )


def test_bounds_stand_beside_a_mean_that_leaves_out_many(tmp_path: Path) -> None:
    def gaps(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if n == 5 and model == "mockllm/alpha" else right(model, grader, n, epoch)

    found = ie.scores(scored_study(tmp_path, gaps))
    alpha, beta = found.rows[0], found.rows[-1]
    assert (alpha.left_out, alpha.mean) == ({"unparsed": 1}, pytest.approx(4 / 5))
    assert alpha.bounds == (pytest.approx(4 / 6), pytest.approx(5 / 6))
    assert (beta.left_out, beta.bounds) == ({}, None)
    assert any("3 of 6 means leave out more than 2 %" in words for words in found.words)


def test_without_a_scale_there_are_no_bounds_and_it_says_so(tmp_path: Path) -> None:
    def gaps(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if n == 5 else right(model, grader, n, epoch)

    study = scored_study(tmp_path, gaps, graders={"free": {"model": "mockllm/judge"}})
    found = ie.scores(study, graders="free")
    assert {(row.scale, row.bounds) for row in found.rows} == {(None, None)}
    assert any(words.startswith("No bounds of free · strict") for words in found.words)


def test_counts_that_are_all_alike_have_no_interval(tmp_path: Path) -> None:
    graders = {"free": {"model": "mockllm/judge"}, "bound": {"model": "mockllm/j", "scale": [0, 1]}}
    study = scored_study(tmp_path, lambda *_: 1.0, graders=graders)
    row = ie.scores(study, graders="free").rows[0]
    assert (row.scale, row.mean, row.low, row.high, row.method) == (
        *(None, 1.0, None, None),
        "no spread",
    )
    assert "All items have the same value, 1: without spread no interval." in row.warnings
    assert ie.scores(study, graders="bound").rows[0].method == "Wilson"


def test_what_the_policy_does_not_cover_is_left_out_and_no_failure(tmp_path: Path) -> None:
    study = scored_study(tmp_path, right, policy="dev", items=2, replications=1)
    more = scored_study(tmp_path / "more", right, policy="full-interactive")
    assert ie.scores(study).rows[0].left_out == {}
    assert ie.scores(more, policy="dev").rows[0].left_out == {}


def test_clusters_are_those_that_the_study_names(tmp_path: Path) -> None:
    extra = {"measurement": {"cluster": "topic", "level": 0.9}}
    metadata = {"benchmark": {"mapping": {"metadata": ["topic"]}}}
    study = scored_study(tmp_path, right, items=12, extra={**extra, **metadata})
    row = ie.scores(study).rows[0]
    assert (row.n_items, row.n_clusters, row.level) == (12, 2, 0.9)
    assert row.method == "t, 2 clusters"


def test_scores_outside_of_the_scale_are_told_where_there_is_no_interval_too(
    tmp_path: Path,
) -> None:
    study = scored_study(
        tmp_path,
        lambda model, grader, n, epoch: 2.0 if n < 2 else 0.5,
        metadata=lambda n: "{}" if n == 3 else '{"topic": "t"}',
        extra={"measurement": {"cluster": "topic"}},
    )
    told = " ".join(ie.scores(study).words)
    assert "Give each one, or name another column." in told
    assert "2 scores lie outside of the scale 0 to 1, and are kept." in told


@pytest.mark.parametrize(
    "gap",
    [
        "{}",
        *(
            pytest.param(gap, marks=pytest.mark.long)
            for gap in ('{"topic": null}', '{"topic": ""}')
        ),
        '{"topic": " "}',
    ],
)
def test_a_cluster_column_with_gaps_allows_no_interval_and_is_told_everywhere(
    tmp_path: Path, gap: str
) -> None:
    study = scored_study(
        tmp_path,
        right,
        metadata=lambda n: gap if n == 3 else f'{{"topic": "t{n}"}}',
        extra={
            "measurement": {"cluster": "topic"},
            "benchmark": {"mapping": {"metadata": ["topic"]}},
        },
    )
    why = "measurement.cluster: 1 item without topic: q3. Give each one, or name another column."
    of_run = PlannedCells(study, open_store(study), open_store(study).read("items"))
    for row in (*ie.scores(study).rows, *scores(of_run).rows):
        assert row.mean is not None and row.low is None and row.warnings == (why,)
    assert all(row.warnings == (why,) for row in ie.scores(study, pass_at=1).rows)
    assert all(row.warnings == (why,) for row in ie.scores(study, panel=True).rows)
    assert all(one.words == [why] for one in ie.comparisons(study).by_grader)
    with pytest.raises(MeasurementError, match=re.escape(why)):
        ie.compare(study, "alpha", "beta")
    assert {one.why for one in ie.agreement(study).figures} == {why}
    assert why in ie.items(study).by_grader[0].words
    assert ie.scores(study, by="topic").rows[-1].group == NO_GROUP


def test_one_item_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    found = ie.scores(scored_study(tmp_path, right, items=1))
    row = found.rows[0]
    assert (row.mean, row.low, row.high, row.standard_error) == (1.0, None, None, None)
    assert "One item tells nothing about other items" in row.warnings[0]
    assert any("One item tells nothing" in words for words in found.words)


def test_a_mean_of_one_item_has_bounds_where_others_failed(tmp_path: Path) -> None:
    def failing(model: str, grader: str, n: int, epoch: int) -> float | None:
        return 1.0 if n == 0 else None

    study = scored_study(tmp_path, failing, items=20)
    row = ie.scores(study, graders="numeric").rows[0]
    assert (row.mean, row.low) == (1.0, None)
    assert row.bounds == (pytest.approx(1 / 20), 1.0)
    [panel, _] = ie.scores(study, panel=True).rows
    assert panel.mean is None and panel.bounds == (pytest.approx(1 / 20), 1.0)
    [first, _] = ie.scores(study, pass_at=1, graders="numeric").rows
    assert first.mean is None and first.bounds == (pytest.approx(1 / 20), 1.0)
    with pytest.raises(MeasurementError, match=r"share one item .* lies from -0\.95 to 0\.95\.$"):
        ie.compare(study, "alpha", "beta", graders="numeric")
    [family] = ie.comparisons(study, graders="numeric").by_grader
    assert "lies from -0.95 to 0.95" in family.words[0]


@pytest.mark.parametrize(
    ("figure", "least"),
    [({"pass_at": 2}, 1), ({"majority_at": 2}, 2 / 3), ({"panel": True}, 2 / 3), ({}, 2 / 3)],
)
def test_every_figure_of_one_item_has_bounds_where_a_reply_failed(
    tmp_path: Path, figure: dict[str, Any], least: float
) -> None:
    def failing(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if epoch == 1 else 1.0

    row = ie.scores(scored_study(tmp_path, failing, items=1, replications=3), **figure).rows[0]
    assert row.low is None and row.bounds == (pytest.approx(least), 1.0)


def test_no_score_at_all_is_a_result(tmp_path: Path) -> None:
    found = ie.scores(scored_study(tmp_path, lambda *_: None))
    row = found.rows[0]
    assert (row.mean, row.low, row.bounds) == (None, None, (0, 1))
    assert (row.left_out, row.warnings) == ({"unparsed": 6}, ("No cell has a score.",))


def test_conditions_that_were_never_called_are_to_be_run(tmp_path: Path) -> None:
    study = scored_study(tmp_path, lambda *_: 1.0)
    (tmp_path / "prompts" / "solver" / "short.md").write_text("Solve it: {input}\n")
    found = ie.scores(study.config_path)
    again = f"Nothing is graded yet: itemeval-assets run {study.config_path}"
    assert found.words[0] == again
    (tmp_path / "prompts" / "solver" / "short.md").write_text(PROMPTS["short"])
    (tmp_path / "rubrics" / "strict.md").write_text("Another: {input} {solution}\n")
    rows = {row.graded_by: row for row in ie.scores(study.config_path).rows}
    assert rows["numeric"].mean == 1
    assert rows["strict_judge · strict"].warnings == (
        "No cell has a score yet: run the study again. A changed template or setting is a new"
        " condition.",
    )


def test_scores_that_no_mean_can_hold_are_told(tmp_path: Path) -> None:
    row = ie.scores(scored_study(tmp_path, lambda *_: 1e308)).rows[1]
    assert row.low is None and "cannot be averaged" in row.warnings[0]


def test_scores_outside_of_the_scale_are_kept_and_told(tmp_path: Path) -> None:
    found = ie.scores(scored_study(tmp_path, lambda _m, _g, n, _e: float(n)))
    row = found.rows[1]
    assert row.mean == 2.5
    assert "4 scores lie outside of the scale 0 to 1" in row.warnings[0]


def test_by_a_column_of_the_items(tmp_path: Path) -> None:
    extra = {"benchmark": {"mapping": {"metadata": ["topic"]}}}
    study = scored_study(tmp_path, right, extra=extra)
    found = ie.scores(study, by="topic", conditions="mockllm/beta", graders="numeric")
    assert [(row.group, row.n_items, row.mean) for row in found.rows] == [
        ("t0", 3, pytest.approx(1 / 3)),
        ("t1", 3, pytest.approx(1 / 3)),
    ]
    with pytest.raises(ConfigError, match=r"by: 'topc' is no column .* did you mean 'topic'"):
        ie.scores(study, by="topc")


def thirds(model: str, grader: str, n: int, epoch: int) -> float | None:
    """Three replications: of alpha one passes, of beta two; the last item has a failure."""
    if n == 5 and epoch == 3:
        return None
    return float(epoch <= (1 if model == "mockllm/alpha" else 2) and n < 4)


def test_pass_at_k_is_that_of_the_package(tmp_path: Path) -> None:
    study = scored_study(tmp_path, thirds, replications=3)
    found = ie.scores(study, pass_at=2, graders="numeric")
    assert found.figure == "pass@2"
    # Of 2 in 3 replications, one is the right one in 2 of 3 choices; four items of six have one.
    assert [row.mean for row in found.rows] == [pytest.approx(4 / 6 * 2 / 3), pytest.approx(4 / 6)]
    alpha = found.rows[0]
    assert alpha.low is not None and alpha.high is not None and 0 <= alpha.low < alpha.high <= 1
    assert (alpha.left_out, alpha.n_items) == ({"unparsed": 1}, 6)
    assert alpha.bounds == (pytest.approx(4 / 6 * 2 / 3), pytest.approx((4 * 2 / 3 + 2 / 3) / 6))


def test_items_with_too_few_replications_are_left_out_and_it_says_so(tmp_path: Path) -> None:
    study = scored_study(tmp_path, thirds, replications=3)
    found = ie.scores(study, majority_at=3, graders="numeric")
    assert [row.mean for row in found.rows] == [0.0, pytest.approx(4 / 5)]
    assert [row.n_items for row in found.rows] == [5, 5]
    assert any(
        words.startswith("1 item with fewer than 3 scored replications: left out.")
        for words in found.words
    )


def test_what_passes_is_the_end_of_the_scale_or_what_is_said(tmp_path: Path) -> None:
    graders = {
        "ten": {"model": "mockllm/judge", "scale": [0, 10]},
        "free": {"model": "mockllm/other"},
    }
    study = scored_study(tmp_path, lambda *_: 7.0, graders=graders)
    ten, free = ie.scores(study, pass_at=1, graders=["ten", "free"], conditions="alpha").rows
    assert (ten.mean, free.mean) == (0.0, None)
    assert "No scale is declared" in free.warnings[0]
    said = ie.scores(study, pass_at=1, passes=7, graders=["ten", "free"], conditions="alpha")
    assert (said.figure, [row.mean for row in said.rows]) == ("pass@1, from a score of 7", [1, 1])


def test_too_few_scored_replications_are_said_in_the_words_of_a_study(tmp_path: Path) -> None:
    def once(model: str, grader: str, n: int, epoch: int) -> float | None:
        return 1.0 if epoch == 1 else None

    study = scored_study(tmp_path, once, replications=3)
    [row] = ie.scores(study, pass_at=3, graders="numeric", conditions="alpha").rows
    assert row.mean is None and row.warnings == (
        "No item has 3 scored replications in this condition, but 1 at most: run the missing cells,"
        " or choose k up to 1.",
    )


def test_a_panel_is_the_mean_of_its_judges_by_rubric(tmp_path: Path) -> None:
    def judged(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if n == 0 and grader == "mild_judge" else 0.5 + 0.2 * (grader == "mild_judge")

    found = ie.scores(scored_study(tmp_path, judged), panel=True)
    alpha, _ = found.rows
    assert (found.figure, alpha.graded_by) == ("panel mean", "strict_judge + mild_judge · strict")
    assert (alpha.mean, alpha.n_items) == (pytest.approx(0.6), 5)
    assert (alpha.cells, alpha.left_out) == (12, {"unparsed": 1})
    assert alpha.grade_condition_id is None
    assert any("1 item without a score of each judge" in words for words in found.words)
    assert alpha.bounds == (
        pytest.approx((5 * 0.6 + 0.25) / 6),
        pytest.approx((5 * 0.6 + 0.75) / 6),
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pass_at": 2}, "covers 1 replication of each item; choose k from 1 to 1"),
        ({"majority_at": 0}, "choose k from 1 to 1"),
        ({"pass_at": "1"}, "pass_at is '1': give a whole number"),
        ({"pass_at": 1, "passes": float("nan")}, "passes is nan: give a finite number"),
        ({"pass_at": 1, "panel": True}, "choose one"),
        ({"pass_at": 1, "majority_at": 1}, "choose one"),
        ({"passes": 1}, "it goes with pass@k or majority@k"),
        ({"panel": True, "graders": "numeric"}, "a panel needs two judges or more"),
        ({"panel": True, "graders": "mild_judge"}, "chosen: mild_judge · strict"),
    ],
)
def test_figures_that_cannot_be(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        ie.scores(scored_study(tmp_path, right), **asked)


def test_judges_of_different_scales_are_no_panel(tmp_path: Path) -> None:
    graders = {
        "one": {"model": "mockllm/judge", "scale": [0, 1]},
        "ten": {"model": "mockllm/other", "scale": [0, 10]},
    }
    with pytest.raises(ConfigError, match="have no scale in common"):
        ie.scores(scored_study(tmp_path, right, graders=graders), panel=True)
