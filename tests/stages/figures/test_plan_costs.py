"""What a plan says of a design is what `estimate` says of the study that has its lines."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.plans.costs import StudyCosts, costs_of
from itemeval_assets.stages.items import known
from itemeval_assets.storage.study.store import open_store
from tests.studies import merged, write_study

JUDGE = {"judge": {"model": "mockllm/judge", "scale": [0, 1]}}
TIMES = {"waves": [{"name": "later", "anchors": 8}], "rejudges": [{"name": "again", "anchors": 5}]}


def costs(study: Study) -> StudyCosts:
    store = open_store(study)
    planned = PlannedCells(study, store, known(study, store).table, "full-interactive")
    return costs_of(planned, "full-interactive")


def written(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), changes)))


@pytest.mark.parametrize("seed", [None, 0, 3])
def test_a_design_costs_what_the_estimate_says(tmp_path: Path, seed: int | None) -> None:
    sample = {} if seed is None else {"benchmark": {"sample": {"n": 20, "seed": seed}}}
    path = write_study(
        tmp_path,
        models=["mockllm/alpha"],
        graders=["judge"],
        items=24,
        replications=2,
        extra={"graders": JUDGE, **sample, **TIMES},
        policy="full-interactive",
    )
    ie.run(path, max_usd=100)
    study = load_study(path)
    judge = next(one for one in study.design.grade if one.grader.call)
    amounts = costs(study).of(judge)
    first = path.read_text()
    for items, replications, repeats in [(20, 2, 1), (20, 5, 1), (12, 3, 1), (4, 4, 3), (20, 1, 2)]:
        path.write_text(first)
        lines: dict[str, Any] = {
            "facets": {"replications": replications},
            "graders": {"judge": {"repeats": repeats}},
            "benchmark": {"sample": {"n": items, "seed": seed or 0}},
        }
        written(path, lines)
        told = ie.estimate(path, policy="full-interactive").remaining
        found = amounts(items, replications, repeats)
        assert found.calls == told.calls - told.cached
        assert found.at_most_usd == pytest.approx(told.usd, rel=1e-12)
        assert told.expected_usd is not None
        # With another seed fewer items have other anchors, whose answers nobody has seen.
        near = 0.03 if seed else 1e-3
        assert found.usd == pytest.approx(told.expected_usd, rel=near, abs=1e-6)
    if seed is not None:
        assert amounts(20, 200, 1).calls == 198 * amounts(20, 3, 1).calls
