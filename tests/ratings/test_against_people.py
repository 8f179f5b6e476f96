"""Judges against people: the figures of a world of which everything is known."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api, figures
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from tests.ratings.study import RATER, as_csv, filled, rated_study


def rated(folder: Path, n: int, **more: Any) -> Study:
    study, path = rated_study(folder, items=40, models=("mockllm/alpha",), **more), folder / "s.csv"
    api.ratings_sheet(study, "anna", path, n=n)
    api.import_ratings(as_csv(path, filled(study, path)), study)
    return load_study(study.config_path)


def test_all_answers_rated(tmp_path: Path) -> None:
    """Of 40 answers 20 are right. The judge passes these, and half of the others."""
    found = figures.agreement(rated(tmp_path, 40))
    values = {one.figure: one.estimate for one in found.people}
    assert all(one.rated == 40 and one.model == "mockllm/alpha" for one in found.people)
    assert {name: round(one.value, 6) for name, one in values.items() if one} == {
        "kappa": 0.5,
        "true positive rate": 1.0,
        "true negative rate": 0.5,
        "mean by the rater": 0.5,
        "mean by the judge": 0.75,
        "corrected mean": 0.5,
    }
    assert any("from the middle of the scale" in words for words in found.words)


def test_some_answers_rated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = rated(tmp_path, 24)
    found = {one.figure: one.estimate for one in figures.agreement(study).people}
    corrected, alone = found["corrected mean"], found["mean by the judge"]
    assert corrected and alone
    assert corrected.low < 0.5 < corrected.high and not alone.low < 0.5 < alone.high
    assert any("Only 24 labels" in words for words in figures.agreement(study).words)
    config, out = str(study.config_path), tmp_path / "agreement.csv"
    assert run_cli(["agreement", config, "--out", str(out)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "agreement with people by judge · strict and anna · strict" in told
    assert "corrected mean,judge · strict and anna · strict" in out.read_text().replace('"', "")
    coming = api.next_ratings(study, "anna", n=10)
    [expected] = coming.expected
    assert (expected.items, expected.more, expected.judge is not None) == (24, 10, True)
    assert expected.now and expected.then and expected.then < expected.now


def test_a_judge_without_a_scale(tmp_path: Path) -> None:
    """Scores of 0 and 1 need none; others do."""
    graders = {"judge": {"model": "mockllm/judge"}, "anna": RATER}
    study = rated_study(tmp_path, models=("mockllm/alpha",), graders=graders)
    found = {one.figure: one.why for one in figures.agreement(study).people}
    assert found["kappa"] is None


def test_two_raters_of_the_same_answers(tmp_path: Path) -> None:
    """One seed draws the same answers for both; who is stricter is seen in their agreement."""
    study, path = rated(tmp_path, 20), tmp_path / "ben.csv"
    api.ratings_sheet(study, "ben", path, n=20)
    strict = filled(study, path, lambda line: float(line.item_id in {"q0", "q2", "q4"}))
    api.import_ratings(as_csv(path, strict), study)
    config = str(study.config_path)
    found = figures.agreement(config, graders=["anna", "ben"])
    assert found.judges == ["anna · strict", "ben · strict"] and found.people == []
    [kappa] = [one.estimate for one in found.figures if one.figure == "kappa"]
    assert kappa and kappa.n_items == 20
    people = figures.agreement(config).people
    assert {one.rater for one in people} == {"anna · strict", "ben · strict"}
    assert run_cli(["report", config]) == 0
