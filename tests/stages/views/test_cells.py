"""`cells`: what no table has a row of is listed all the same, by the API and the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.cells import CELL_STATES, CELLS
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.views.incomplete import incomplete_cells
from itemeval_assets.storage.study.store import open_store
from tests.rows import grading, item, solution, table
from tests.studies import write_study


def begun(folder: Path) -> Study:
    """Two models x (a scorer, a judge) x three items: one model answered, one judge was read."""
    study = load_study(write_study(folder, models=["mockllm/a", "mockllm/b"], items=3))
    store = open_store(study)
    store.replace("items", Partition(()), table("items", [item("q1"), item("q2"), item("q3")]))
    [generate] = study.generate_partitions()[0]
    answers = [
        solution("q1", condition_id=generate),
        solution("q2", condition_id=generate, text=None, error="[429]\nwait"),
        solution("q3", condition_id=generate),
    ]
    store.upsert("solutions", Partition((generate,)), table("solutions", answers))
    judge = study.design.grade[1].id
    ids: dict[str, Any] = {"gen_condition_id": generate, "grade_condition_id": judge}
    verdicts = [grading("q1", score=7.0, **ids), grading("q3", score=None, **ids)]
    store.upsert("gradings", Partition((generate, judge)), table("gradings", verdicts))
    return study


def test_every_cell_of_the_design_has_a_row(tmp_path: Path) -> None:
    study = begun(tmp_path)
    frame = api.cells(study)
    assert list(frame.columns) == CELLS.column_names
    assert len(frame) == 12 and not frame.duplicated(list(CELLS.key)).any()
    pairs = zip(frame["gen_condition_id"], frame["grade_condition_id"], strict=True)
    assert list(dict.fromkeys(pairs)) == study.grade_partitions()
    states = {
        partition: group["state"].tolist()
        for partition, group in frame.groupby(["gen_condition_id", "grade_condition_id"])
    }
    answered, silent = study.design.generate
    scorer, judge = study.design.grade
    assert states == {
        (answered.id, scorer.id): ["missing", "errored", "missing"],
        (answered.id, judge.id): ["done", "errored", "unparsed"],
        (silent.id, scorer.id): ["missing"] * 3,
        (silent.id, judge.id): ["missing"] * 3,
    }
    assert frame["score"].dropna().tolist() == [7.0]


@pytest.mark.parametrize("policy", [None, "dev"])
@pytest.mark.parametrize("has_begun", [True, False])
def test_status_counts_the_cells_by_the_same_states(
    tmp_path: Path, has_begun: bool, policy: str | None
) -> None:
    """Before the first run all are missing, in both."""
    study = begun(tmp_path) if has_begun else load_study(write_study(tmp_path, items=3))
    found = api.cells(study, policy=policy)
    # Status looks at what the policy covers alone.
    found = found[found["state"] != "not_planned"]
    for part in api.status(study, policy=policy).grade:
        of_pair = (found["gen_condition_id"] == part.partition[0]) & (
            found["grade_condition_id"] == part.partition[1]
        )
        shown = {state: getattr(part, state) for state in CELL_STATES if state != "not_planned"}
        counts = {state: count for state, count in shown.items() if count}
        if policy is None:
            assert counts == found["state"][of_pair].value_counts().to_dict()
            lacking = found["state"][of_pair & (found["stage"] == "solutions")]
            assert part.without_solution == lacking.value_counts().to_dict()
        assert sum(counts.values()) == part.cells
    assert has_begun or set(found["state"]) == {"missing"}


def test_a_check_lists_a_cell_in_its_state(tmp_path: Path) -> None:
    study = begun(tmp_path)
    judged = study.grade_partitions()[1]
    rows = incomplete_cells(study, open_store(study), judged)
    assert rows == [{"item_id": "q2", "epoch": 1, "state": "errored"}]


@pytest.mark.parametrize(
    ("chosen", "cells"),
    [
        ({"states": ["errored"]}, 2),
        ({"states": ["errored", "done"]}, 3),
        ({"conditions": ["mockllm/b"]}, 6),
        ({"graders": ["numeric"]}, 6),
        ({"rubrics": ["strict"], "states": ["missing"]}, 3),
        ({"policy": "dev", "states": ["not_planned"]}, 3),
    ],
)
def test_cells_are_chosen_as_in_other_commands(
    tmp_path: Path, chosen: dict[str, Any], cells: int
) -> None:
    assert len(api.cells(begun(tmp_path), **chosen)) == cells


def test_a_state_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no state 'lost'; there are: done, unparsed"):
        api.cells(begun(tmp_path), states=["lost"])


def test_before_the_first_run_all_cells_are_missing(tmp_path: Path) -> None:
    frame = api.cells(write_study(tmp_path, items=4, policy="dev"))
    assert frame["state"].tolist() == (["missing"] * 2 + ["not_planned"] * 2) * 2


def test_the_command_counts_by_state_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = begun(tmp_path).config_path
    assert run_cli(["cells", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "12 cells: 1 done, 1 unparsed, 2 errored, 8 missing" in shown
    assert "[429] wait" in shown and "no_json_object" in shown
    assert run_cli(["cells", str(config), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == {"done": 1, "unparsed": 1, "errored": 2, "missing": 8}
    assert len(found["rows"]) == 11
    reasons = [(r["state"], r["stage"], r["reason"], r["cells"]) for r in found["reasons"]]
    assert sorted(reasons, key=str) == [
        ("errored", "solutions", "[429]\nwait", 2),
        ("missing", "gradings", None, 2),
        ("missing", "solutions", None, 6),
        ("unparsed", "gradings", "no_json_object", 1),
    ]


@pytest.mark.parametrize("state", CELL_STATES)
def test_the_command_lists_the_cells_of_a_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    config = begun(tmp_path).config_path
    assert run_cli(["cells", str(config), "--state", state, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cells"] == 12
    assert {row["state"] for row in found["rows"]} == (
        {state} if state in found["states"] else set()
    )
