"""Tranches of a design, and targets that no number of items could reach."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.core.design.cells.anchors import Anchors
from itemeval_assets.core.design.study import run_plan
from itemeval_assets.core.design.tranches import FIRST, tranche_of, with_tranche
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.measurement.planning.stopping import FIRST_LOOK
from itemeval_assets.storage.study.layout import PRECISION
from tests.studies import write_study

TWO = ("mockllm/a", "mockllm/b")
SAMPLE = {"benchmark": {"sample": {"n": 4}}}


def written(folder: Path, precision: dict[str, Any], models=TWO, **others: Any) -> Path:
    extra = {**SAMPLE, "precision": precision, **others.pop("extra", {})}
    return write_study(folder, models=models, **{"graders": (), "extra": extra, **others})


def test_a_tranche_cuts_all_but_anchors_and_answers_graded_again_have_both(tmp_path: Path) -> None:
    times = {
        "waves": [{"name": "w", "anchors": 3}],
        "rejudges": [{"name": "r", "anchors": 3}],
        "graders": {"judge": {"model": "mockllm/judge", "scale": [0, 1]}},
    }
    path = written(tmp_path, {"half_width": 0.1}, graders=("judge",), models=TWO[:1], extra=times)
    study = with_tranche(load_study(path), 1)
    tranche = tranche_of(study, run_plan(study.config))
    has = Anchors(study.design, ["i1", "i2", "i3", "i4"], 2, tranche=tranche)
    cells = {study.design.label_of(part): has.of(part).sum() for part in study.grade_partitions()}
    waves = {label: int(n) for label, n in cells.items() if " w" in label.split(" | ")[0]}
    assert tranche == 1 and set(cells.values()) <= {0, 2, 6}
    assert [int(has.of(part).sum()) for part in study.generate_partitions()] == [2, 6]
    assert waves or 6 in cells.values()
    rejudged = [n for label, n in cells.items() if "rejudged" in label]
    assert rejudged and all(n <= 2 for n in rejudged)


def test_dev_has_no_tranche_and_the_first_is_the_first_look(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, {"half_width": 0.1}))
    assert tranche_of(study, run_plan(study.config, "dev")) is None
    assert tranche_of(study, run_plan(study.config)) == FIRST == FIRST_LOOK


@pytest.mark.parametrize(
    ("precision", "models", "graders", "says"),
    [
        (
            {"half_width": 1},
            TWO,
            (),
            r"precision\.half_width: 1 is as wide as the scale of numeric",
        ),
        ({"detect": 2.5}, TWO, (), r"precision\.detect: 2\.5 is as wide as the scale of numeric"),
        ({"detect": 0.1}, TWO[:1], (), r"precision\.detect: the study has one condition"),
        ({"half_width": 0.1}, TWO, ("mockllm/judge",), r"judge · strict has no scale"),
        ({"half_width": 0}, TWO, (), r"precision\.half_width: "),
        ({"half_width": 0.1, "detect": 0.1}, TWO, (), r"give one of half_width and detect"),
        ({}, TWO, (), r"give one of half_width and detect"),
        ({"half_width": 0.1, "metrics": ["numerc"]}, TWO, (), r"did you mean 'numeric'"),
    ],
)
def test_a_target_that_cannot_be(
    tmp_path: Path, precision: dict[str, Any], models: Any, graders: Any, says: str
) -> None:
    path = written(tmp_path, precision, models, graders=graders)
    with pytest.raises(ConfigError, match=says) as refused:
        load_study(path)
    assert str(path) in str(refused.value)


def test_items_in_the_order_of_the_data_are_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, graders=(), extra={"precision": {"half_width": 0.1}})
    with pytest.raises(ConfigError, match=r"precision: items are bought in the order of a sample"):
        load_study(path)


@pytest.mark.parametrize("says", ["{", '{"items": 0}', '{"items": "x"}'])
def test_a_damaged_file_of_how_far_it_is(tmp_path: Path, says: str) -> None:
    path = written(tmp_path, {"half_width": 0.1})
    place = tmp_path / "studies" / "toy" / PRECISION
    place.parent.mkdir(parents=True)
    place.write_text(says)
    with pytest.raises(StoreError, match=r"precision\.json.*(?s:.*)begins again"):
        load_study(path)


def test_a_damaged_look(tmp_path: Path) -> None:
    path = written(tmp_path, {"half_width": 0.1})
    place = tmp_path / "studies" / "toy" / PRECISION
    place.parent.mkdir(parents=True)
    for look in ('{"n": 1}', "[1]", '{"n_items": "x", "target": 0.1, "half_width": 0.2}'):
        place.write_text(f'{{"look": {look}}}')
        with pytest.raises(StoreError, match=r"precision\.json"):
            api.status(path)
