"""irt: item response theory on the conditions of a study, and when it is refused."""

import json
import math
import random
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, EnvironmentMissing
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages.figures.items import response
from tests.scored import scored_study

PEOPLE, ITEMS = 40, 12
MODELS = tuple(f"mockllm/m{n:02}" for n in range(PEOPLE))


def rasch(model: str, grader: str, n: int, epoch: int, *, top: float = 1.0) -> float | None:
    """Models are abler by their number, items harder by theirs; nobody solves the last one."""
    place = int(model[-2:])
    if (place, n) == (0, 0):
        return None
    ability, difficulty = 4 * place / (PEOPLE - 1) - 2, 4 * n / (ITEMS - 1) - 2
    chance = 1 / (1 + math.exp(difficulty - ability))
    draw = random.Random(f"{model} {n} {epoch}").random()
    return top * float(draw < chance and n < ITEMS - 1)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rasch")
    study = scored_study(folder, rasch, items=ITEMS, models=MODELS, graders={}, replications=2)
    return str(study.config_path)


def test_items_and_conditions_are_on_one_scale(config: str) -> None:
    found = ie.irt(config, model="1pl")
    [one] = found.by_grader
    assert (found.model, one.graded_by, one.passes) == ("1pl", "numeric", 1.0)
    assert (one.n_respondents, one.n_missing) == (PEOPLE, 1)
    assert [row["item"] for row in one.items] == [f"q{n}" for n in range(ITEMS - 1)]
    for n, row in enumerate(one.items):
        assert abs(row["difficulty"] - (4 * n / (ITEMS - 1) - 2)) < 3 * row["difficulty_se"]
        assert row["discrimination"] == 1.0 and row["question"]
    abilities = pd.Series([row["ability"] for row in one.persons])
    assert [row["person"] for row in one.persons] == [f"m{n:02} · short" for n in range(PEOPLE)]
    assert abilities.corr(pd.Series(range(PEOPLE)), method="spearman") > 0.8
    told = " ".join(one.words)
    assert "Of 2 replications the first one" in told and "1 answer (0.2 %) without" in told
    assert "1 item answered alike by all" in told


@pytest.mark.pictures
def test_the_command_shows_writes_and_draws(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, rows = tmp_path / "irt.html", tmp_path / "irt.csv"
    assert run_cli(["irt", config, "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "difficulty" in shown and "m39 · short" in shown and "log likelihood" in shown
    assert page.read_text().count('src="data:image/png;base64,') == 2
    assert run_cli(["irt", config, "--model", "1pl", "--json", "--out", str(rows)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "1pl" and len(told["by_grader"][0]["items"]) == ITEMS - 1
    frame = pd.read_csv(rows)
    assert run_cli(["irt", config, "--model", "1pl"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        " fixed " in shown and "Answers with a score of 1 or more are right (scale 0 to 1)" in shown
    )
    assert "fixed at 1 in the 1PL" in shown
    items, persons = (frame[frame["table"] == name] for name in ("items", "conditions"))
    assert items["difficulty"].is_monotonic_decreasing and len(items) == ITEMS - 1
    assert persons["ability"].is_monotonic_decreasing and len(persons) == PEOPLE
    assert persons["condition"].iloc[0].startswith("m3") and persons["item"].isna().all()


def test_of_graded_answers_one_must_say_which_are_right(tmp_path: Path) -> None:
    study = scored_study(
        tmp_path,
        partial(rasch, top=7.0),
        items=ITEMS,
        models=MODELS,
        graders={"judge": {"model": "mockllm/judge"}},
        extra={"facets": {"scorer": None}},
    )
    with pytest.raises(MeasurementError, match="give --passes, or write graders"):
        ie.irt(study)
    [one] = ie.irt(study, passes=7, model="1pl").by_grader
    assert one.passes == 7 and len(one.items) == ITEMS - 1
    with pytest.raises(MeasurementError, match="0 items have both right and wrong answers"):
        ie.irt(study, passes=8)


def test_where_it_is_refused(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = scored_study(tmp_path, rasch, models=MODELS[:29], graders={}).config_path
    assert run_cli(["irt", str(few), "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] == "MeasurementError"
    assert "29 respondents: item response theory needs 30 independent ones" in told.err
    with pytest.raises(ConfigError, match="model: there is no '3pl'; there are: 1pl, 2pl"):
        ie.irt(config, model="3pl")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="passes is nan: give a finite number"):
        ie.irt(config, passes=math.nan)
    monkeypatch.setattr(response, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentMissing, match=r"needs the package mirt.* install.* 'mirt>=1.2'"):
        ie.irt(config)


def test_a_study_without_a_score(tmp_path: Path) -> None:
    study = scored_study(tmp_path, lambda *cell: None, models=MODELS[:2], graders={})
    with pytest.raises(MeasurementError, match="No cell has a score"):
        ie.irt(study)


def test_another_package_finds_the_same_from_the_response_matrix(config: str) -> None:
    girth = pytest.importorskip("girth")
    answers = ie.response_matrix(config, passes=1)
    both = answers.loc[:, answers.nunique() > 1]
    table = both.T.fillna(girth.INVALID_RESPONSE).to_numpy(dtype=int)
    theirs = dict(zip(both.columns, girth.rasch_mml(table)["Difficulty"], strict=True))
    [one] = ie.irt(config, model="1pl").by_grader
    ours = [row["difficulty"] for row in one.items]
    found = pd.Series(ours).corr(pd.Series([theirs[row["item"]] for row in one.items]))
    assert found > 0.999
