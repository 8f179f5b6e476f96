"""Drift: a change of the model is told from one of the judge."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import Difference
from itemeval_assets.stages import gradings_long
from itemeval_assets.stages.figures.drift.changes import (
    Change,
    Measured,
    Of,
    as_family,
    judge_change,
    model_change,
)
from itemeval_assets.storage.study.store import open_store
from tests.rows import STAMP, grading, solution, table
from tests.scored import scored_study
from tests.studies import write_study

ITEMS, CHANGE = 100, -0.1
# Of an item: its difficulty, and what is new in each answer and in each verdict.
ITEM_SD, ANSWER_SD, VERDICT_SD = 0.15, 0.08, 0.05
HOW = Measured(None, (0.0, 1.0), 0.99)
JUDGE = {"judge": {"model": "mockllm/judge", "scale": [0, 1]}}
TIMES = {"waves": ["2026-12"], "rejudges": ["2026-12"]}


def attributed(random: np.random.Generator, *, model: float, judge: float) -> bool:
    """Whether a study whose model and judge change by so much tells just that.

    The difference of an item has a standard deviation of 0.13 for the model and of 0.07 for the
    judge, so 100 items find a change of 10 points practically always, and at a level of 0.99 one
    that is not there in at most 1 study of 100.
    """
    item = random.normal(0.5, ITEM_SD, ITEMS)
    first, new = (item + change + random.normal(0, ANSWER_SD, ITEMS) for change in (0, model))

    def judged(answers: np.ndarray, change: float) -> pa.Table:
        scores = answers + change + random.normal(0, VERDICT_SD, ITEMS)
        names = [f"q{number}" for number in range(ITEMS)]
        return pa.table(
            {
                "gen_condition_id": ["a"] * ITEMS,
                "item_id": names,
                "replication": pa.array([1] * ITEMS, pa.int32()),
                "score": scores.clip(0, 1).round(2),
            }
        )

    then, again, now = judged(first, 0), judged(first, judge), judged(new, judge)
    found: dict[Of, Difference] = {
        "model": model_change(now, again, ("later", "first"), HOW),
        "judge": judge_change(again, then, ("later", "first"), HOW),
    }
    family = as_family(
        [Change(time="w", of=of, condition=None, difference=one) for of, one in found.items()],
        HOW.scale,
    )
    planted = {"model": model, "judge": judge}
    return all(
        (one.difference.p < 1 - HOW.level) == (planted[one.of] != 0)
        and (planted[one.of] == 0 or one.difference.value < 0)
        for one in family
    )


@pytest.mark.parametrize("model", [0.0, CHANGE])
@pytest.mark.parametrize("judge", [0.0, CHANGE])
def test_a_change_is_attributed_to_who_has_changed(model: float, judge: float) -> None:
    random = np.random.default_rng(20261201)
    assert sum(attributed(random, model=model, judge=judge) for _ in range(10)) >= 9


@pytest.mark.long
@pytest.mark.parametrize("model", [0.0, CHANGE])
@pytest.mark.parametrize("judge", [0.0, CHANGE])
def test_95_of_100_changes_are_attributed_to_who_has_changed(model: float, judge: float) -> None:
    random = np.random.default_rng(20261202)
    assert sum(attributed(random, model=model, judge=judge) for _ in range(100)) >= 95


def scored_twice(folder: Path, score: Callable[[str, str, int], float], **extra: object) -> Study:
    """A study of two times. `score` by the labels of both conditions, and the item."""
    study = scored_study(
        folder,
        lambda *_: 0.5,
        items=20,
        models=("mockllm/alpha",),
        graders=JUDGE,
        extra={**TIMES, **extra},
    )
    store, names = open_store(study), [f"q{number}" for number in range(20)]
    for part in study.grade_partitions():
        labels = study.design.labels_of(part)
        ids = {"gen_condition_id": part.generate, **study.design.grade_by_id[part.grade].columns}
        at = "2026-02-01T00:00:00Z" if "rejudged" in labels[1] else STAMP
        rows = [
            grading(q, 1, score(labels[0], labels[1], n), **ids, created_at=at)
            for n, q in enumerate(names)
        ]
        store.replace("gradings", part, table("gradings", rows))
    for _ in gradings_long.write(store, study.grade_partitions()):
        pass
    return study


def worse_judge(condition: str, grader: str, item: int) -> float:
    """From the wave on the judge gives less, and the model answers as before."""
    is_later = "wave" in condition or "rejudged" in grader
    is_judge = grader.startswith("judge")
    return round(0.7 + 0.01 * (item % 5) - 0.2 * (is_later and is_judge), 3)


def test_a_harsher_judge_is_no_worse_model(tmp_path: Path) -> None:
    study = scored_twice(tmp_path, worse_judge)
    found = ie.drift(study)
    scorer, judge = found.by_grader
    assert [one.of for one in scorer.changes] == ["model"]
    assert "Too close to call" in scorer.changes[0].difference.verdict
    told = {one.of: one.difference for one in judge.changes}
    assert told["judge"].verdict.startswith(
        "judge · strict · rejudged 2026-12 gives lower scores than judge · strict: by 20.0 points"
    )
    assert told["model"].verdict.startswith("Too close to call: alpha · short · wave 2026-12 and")
    # Without a rejudge the same scores look like a worse model: nobody can tell.
    alone = scored_twice(tmp_path / "alone", worse_judge, rejudges=[])
    [change] = ie.drift(alone, graders="judge").by_grader[0].changes
    assert (change.of, change.difference.value) == ("both", pytest.approx(-0.2))
    words = " ".join(ie.drift(alone, graders="judge").by_grader[0].words)
    assert "nobody can tell which of them changed" in words and "run --rejudge 2026-12" in words


def test_figures_have_later_times_only_by_name(tmp_path: Path) -> None:
    study = scored_twice(tmp_path, worse_judge)
    first, wave = "alpha · short", "alpha · short · wave 2026-12"
    assert ie.comparisons(study).by_grader[0].words == [
        "The study has one condition, alpha · short: a comparison needs two.",
    ]
    [numeric, judge] = ie.compare(study, wave, first).by_grader
    assert numeric.graded_by == "numeric"
    assert judge.differences[0].value == pytest.approx(-0.2)
    assert [one.graded_by for one in ie.reliability(study).by_grader] == [
        "numeric",
        judge.graded_by,
    ]
    assert ie.agreement(study).judges == ["judge · strict"]
    assert ie.response_matrix(study, "judge").index.tolist() == [first, wave]
    again = ie.agreement(study, graders=["judge", "judge · strict · rejudged 2026-12"])
    assert again.judges == ["judge · strict"]  # its two times are compared with each other
    assert [(row.condition, row.graded_by) for row in ie.scores(study).rows] == [
        (first, "numeric"),
        (first, "judge · strict"),
        (first, "judge · strict · rejudged 2026-12"),
        (wave, "numeric"),
        (wave, "judge · strict"),
    ]


def test_drift_is_told_on_a_page_and_in_a_table_with_what_it_compares_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = scored_twice(tmp_path, worse_judge)
    slug = study.design.generate[0].slug
    former = f"{slug}--0123456789ab"
    rows = [solution("q0", condition_id=former, condition_slug=slug)]
    open_store(study).replace("solutions", Partition((former,)), table("solutions", rows))
    page, csv = tmp_path / "drift.html", tmp_path / "drift.csv"
    assert run_cli(["drift", str(study.config_path), "--out", str(page)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"there are also answers of {former}, of the same names and another prompt" in shown
    assert "2026-12, judge: judge · strict · rejudged 2026-12 gives lower scores" in shown
    assert (
        "alpha · short · wave 2026-12 | judge · strict is of 2026-01-01, and the first answers were"
        " graded again on 2026-02-01: a change of the judge between the two is in that of the model"
    ) in shown
    assert "<table>" in page.read_text()
    assert run_cli(["drift", str(study.config_path), "--out", str(csv), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [len(one["changes"]) for one in told["by_grader"]] == [1, 2]
    frame = pd.read_csv(csv)
    assert list(frame["of"]) == ["model", "judge", "model"]
    assert list(frame["change"]) == pytest.approx([0, -0.2, 0], abs=1e-9)


def test_a_study_of_one_time_has_no_drift(tmp_path: Path) -> None:
    study = scored_study(tmp_path, lambda *_: 0.5)
    with pytest.raises(ConfigError, match="this study has no later time"):
        ie.drift(study)


def test_replies_of_two_models_within_a_condition_are_told(tmp_path: Path) -> None:
    study = scored_study(tmp_path, lambda *_: 0.5, items=3, graders=JUDGE)
    condition = study.design.generate[0]
    rows = [
        solution(
            f"q{number}",
            model=condition.model,
            condition_id=condition.id,
            condition_slug=condition.slug,
            served_model=f"alpha-{number > 0}",
        )
        for number in range(3)
    ]
    open_store(study).replace("solutions", Partition((condition.id,)), table("solutions", rows))
    said = (
        "alpha · short: the replies are of 2 models, as they say themselves: alpha-False (1), "
        "alpha-True (2). A condition is taken for one model"
    )
    assert any(note.startswith(said) for note in ie.status(study).notes)
    assert any(note.startswith(said) for note in ie.comparisons(study).notes)
    assert not ie.status(write_study(tmp_path / "other")).notes
