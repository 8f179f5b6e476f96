"""Scores without spread: no reader is shown an interval that is one number twice, nor a p of it."""

import csv
import io
import json
from pathlib import Path

import pytest

import itemeval_assets as ie
from itemeval_assets.report.figures.of_pairs import comparisons
from itemeval_assets.report.figures.of_scores import scores
from itemeval_assets.report.plots.certainty import differences, means
from itemeval_assets.report.render.document import as_csv, print_document
from itemeval_assets.report.terminal import print_result
from itemeval_assets.report.views import pairs_of
from tests.scored import JUDGES, scored_study

GRADERS = {"strict_judge": JUDGES["strict_judge"]}


def same(model: str, grader: str, n: int, epoch: int) -> float:
    return 0.75


def by_model(model: str, grader: str, n: int, epoch: int) -> float:
    return 0.75 if model == "mockllm/alpha" else 0.25


def test_a_mean_of_equal_scores_has_no_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ie.scores(
        scored_study(tmp_path, same, items=12, graders=GRADERS), graders="strict_judge"
    )
    print_result(True, found, print)
    told = json.loads(capsys.readouterr().out)["rows"][0]
    assert (told["mean"], told["low"], told["high"]) == (0.75, None, None)
    row = next(csv.DictReader(io.StringIO(as_csv(scores(found)))))
    assert (row["mean score"], row["low"], row["high"]) == ("0.75", "", "")
    print_document(scores(found))
    said = capsys.readouterr().out
    assert "0.75 to 0.75" not in said and "without spread no interval" in " ".join(said.split())
    assert not [
        lines for axes in means(found.rows, "mean score").axes for lines in axes.collections
    ]


def test_items_that_all_tie_have_neither_interval_nor_p(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = scored_study(tmp_path, same, items=12, graders=GRADERS)
    found = ie.compare(study, "alpha", "beta", graders="strict_judge")
    print_result(True, found, print)
    [told] = json.loads(capsys.readouterr().out)["by_grader"][0]["differences"]
    names = ("low", "high", "p", "p_unadjusted", "p_mcnemar")
    assert [told[name] for name in names] == [None] * 5 and told["value"] == 0
    row = next(csv.DictReader(io.StringIO(as_csv(comparisons(found)))))
    assert [row[name] for name in ("low", "high", "p", "p unadjusted")] == [""] * 4
    print_document(comparisons(found))
    said = " ".join(capsys.readouterr().out.split())
    assert "have the same score on all 12 items" in said
    assert "All items tie: without spread no interval and no p." in said
    assert "0.000 to 0.000" not in said and "1.000" not in said
    [axes] = differences(pairs_of(found.by_grader)).axes
    assert not list(axes.collections)


def test_a_difference_that_all_items_share_has_a_p_and_no_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = scored_study(tmp_path, by_model, items=12, graders=GRADERS)
    found = ie.compare(study, "alpha", "beta", graders="strict_judge")
    [one] = found.by_grader[0].differences
    assert one.verdict == (
        "mockllm/alpha is 50.0 points better than mockllm/beta (no interval, 12 items)."
    )
    print_result(True, found, print)
    [told] = json.loads(capsys.readouterr().out)["by_grader"][0]["differences"]
    assert (told["low"], told["high"], told["p"] < 0.001) == (None, None, True)
