"""A study on mock models looks like one of real ones: figures have sense, and say what they are."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api, project
from itemeval_assets import figures as ie
from itemeval_assets.core.money.providers import is_mock
from tests.once import once

MODELS = [f"mockllm/{name}" for name in ("alpha", "beta", "gamma")]
JUDGES = ("strict", "lenient")


def run(folder: Path, changes: dict[str, dict[str, Any]], items: int = 0) -> Path:
    """The study that `init` writes, changed section by section, with sums in place of its items."""
    project.init(folder)
    config = folder / "study.yaml"
    document = yaml.safe_load(config.read_text()) | {"cache": False}
    for section, values in changes.items():
        document[section] |= values
    config.write_text(yaml.safe_dump(document))
    if items:
        rows = [
            {"id": f"q{n}", "question": f"What is {n} + 9?", "answer": str(n + 9), "topic": "sums"}
            for n in range(items)
        ]
        (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert not api.run(config, max_usd=5.0).failed_checks
    return config


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models and two judges, on items enough to tell them apart."""
    graders = {name: {"model": f"mockllm/{name}", "scale": [0, 1]} for name in JUDGES}
    changes = {
        "solvers": {"models": MODELS},
        "facets": {"prompt": ["builtin:standard"], "grader": list(JUDGES)},
        "graders": graders,
    }
    folder = once(tmp_path_factory, "mock", lambda folder: run(folder, changes, items=28))
    return folder / "study.yaml"


@pytest.mark.long
def test_models_are_found_in_the_order_of_their_abilities(config: Path) -> None:
    for family in ie.comparisons(config, facet="model").by_grader:
        found = {(one.a, one.b): one for one in family.differences}
        above = [found[a, b].value for a, b in pairwise(MODELS)]
        assert min(above) > 0 and found[MODELS[0], MODELS[2]].p < 0.01, family.graded_by


def test_items_are_easy_and_hard(config: Path) -> None:
    for one in ie.items(config).by_grader:
        means = [row["difficulty"] for row in one.items]
        assert max(means) - min(means) > 0.6 and len(set(means)) > 5, one.graded_by


def test_judges_are_severe_and_kind_and_agree_somewhat(config: Path) -> None:
    found = {(one.figure, one.of): one.estimate for one in ie.agreement(config).figures}
    severities = {of: one for (figure, of), one in found.items() if figure == "severity" and one}
    assert severities["strict · correctness"].high < 0 < severities["lenient · correctness"].low
    alphas = [one.value for (figure, _), one in found.items() if "alpha" in figure and one]
    assert alphas and all(0.2 < value < 1 for value in alphas)


def test_beside_figures_stands_that_the_models_are_mock_ones(config: Path) -> None:
    said = [ie.scores(config).words, ie.agreement(config).words]
    said += [family.words for family in ie.comparisons(config).by_grader]
    assert all(words[-1].startswith("Models named mockllm/... are mock models") for words in said)


def test_the_study_of_init_has_no_column_that_is_all_alike_and_a_second_run_is_the_same(
    tmp_path: Path,
) -> None:
    first, again = (run(tmp_path / name, {}) for name in ("one", "two"))
    scores = ie.scores(first)
    assert all(0 < row.mean < 1 for row in scores.rows if row.mean is not None)
    assert len({row.mean for row in scores.rows}) > 2
    table = api.table(first, "gradings_long")
    assert set(map(is_mock, table["model"])) == {True}
    key = ["gen_condition_id", "grade_condition_id", "item_id", "replication"]
    told = [
        api.table(one, "gradings_long").set_index(key)[["solution", "score"]].sort_index()
        for one in (first, again)
    ]
    assert told[0].equals(told[1]) and told[0]["solution"].str.contains("A mock answer").all()
