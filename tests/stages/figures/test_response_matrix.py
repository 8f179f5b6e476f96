"""response_matrix: persons x items, in the order of the study, and what is missing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets import measurement
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.storage.study.store import open_store
from tests.scored import JUDGES, scored_study

PERSONS = ["alpha · short", "beta · short"]


def half(_model: str, _grader: str, n: int, epoch: int) -> float | None:
    """No score of q0 in replication 1, nor of q3 in any."""
    return None if (n, epoch) == (0, 1) or n == 3 else n / 2 + epoch


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return scored_study(tmp_path, half, items=4, replications=2, graders={})


def test_conditions_are_persons_by_their_first_score(study: Study) -> None:
    found = ie.response_matrix(study)
    assert found.index.tolist() == PERSONS and found.index.name == "condition"
    assert found.columns.tolist() == ["q0", "q1", "q2"]
    assert found.to_numpy().tolist() == [[2.0, 1.5, 2.0]] * 2
    passed = ie.response_matrix(study, grader="numeric", passes=2)
    assert passed.to_numpy().tolist() == [[1.0, 0.0, 1.0]] * 2
    cells = ie.cells(study).astype({"item_id": object, "gen_condition_id": object})
    same = measurement.response_matrix(cells, respondent="gen_condition_id")
    assert np.array_equal(same.to_numpy(), found.to_numpy())


def test_replications_may_be_persons(study: Study) -> None:
    found = ie.response_matrix(study, persons="replications")
    assert found.index.names == ["condition", "replication"]
    assert found.index.tolist() == [(name, turn) for name in PERSONS for turn in (1, 2)]
    wanted = [[np.nan, 1.5, 2.0], [2.0, 2.5, 3.0]] * 2
    assert np.array_equal(found.to_numpy(), wanted, equal_nan=True)


def test_states_say_why_a_score_is_missing(study: Study) -> None:
    found = ie.response_matrix(study, states=True)
    assert found.columns.tolist() == ["q0", "q1", "q2", "q3"]
    assert found.to_numpy().tolist() == [["done", "done", "done", "unparsed"]] * 2
    turns = ie.response_matrix(study, states=True, persons="replications")
    assert list(turns.loc[:, "q0"]) == ["unparsed", "done"] * 2
    lost_ones = Partition((study.design.generate[0].id,))
    Path(open_store(study).uri("solutions", lost_ones)).unlink()
    lost = ie.response_matrix(study, states=True)
    assert lost.loc[["alpha · short"]].to_numpy().tolist() == [["missing"] * 4]
    assert ie.response_matrix(study).index.tolist() == ["beta · short"]


def test_of_several_graders_one_must_be_named(tmp_path: Path) -> None:
    study = scored_study(tmp_path, half, graders=JUDGES)
    with pytest.raises(
        ConfigError, match=r"there are several.* name one of: numeric, strict_judge"
    ):
        ie.response_matrix(study)
    with pytest.raises(ConfigError, match="there is no grader 'nobody'"):
        ie.response_matrix(study, "nobody")
    assert ie.response_matrix(study, "mild_judge").shape == (2, 4)


def test_arguments_that_mean_nothing(study: Study) -> None:
    with pytest.raises(ConfigError, match="persons: there is no 'models'; there are: conditions"):
        ie.response_matrix(study, persons="models")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="states are no scores"):
        ie.response_matrix(study, states=True, passes=1)
    with pytest.raises(ConfigError, match="passes is nan: give a finite number"):
        ie.response_matrix(study, passes=float("nan"))


def test_the_command_writes_the_matrix(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(study.config_path), tmp_path / "matrix.csv"
    assert run_cli(["responses", path, "--out", str(out)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 conditions x 3 items: scores." in shown and "Without a score: 2 unparsed." in shown
    assert "3/4" in shown and "1 unparsed" in shown
    assert out.read_text() == (
        "condition,q0,q1,q2\nalpha · short,2.0,1.5,2.0\nbeta · short,2.0,1.5,2.0\n"
    )
    assert run_cli(["responses", path, "--passes=2", f"--out={out}"]) == 0
    assert pd.read_csv(out, index_col=0).equals(
        pd.DataFrame(ie.response_matrix(study, passes=2)).rename_axis(columns=None)
    )
    turns, capsys_out = tmp_path / "turns.csv", capsys.readouterr()
    command = ["responses", path, "--persons=replications", f"--out={turns}", "--json"]
    assert run_cli(command) == 0 and capsys_out.out
    told = json.loads(capsys.readouterr().out)
    assert told["rows"][0]["values"] == {"q0": None, "q1": 1.5, "q2": 2.0}
    assert turns.read_text().splitlines()[:2] == [
        "condition,replication,q0,q1,q2",
        "alpha · short,1,,1.5,2.0",
    ]
    page = tmp_path / "states.html"
    assert run_cli(["responses", path, "--states", f"--out={page}"]) == 0
    assert ">q3<" in page.read_text() and "unparsed" in page.read_text()


def test_an_item_named_as_another_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = scored_study(tmp_path, half, graders={}, name=lambda n: "condition" if n else "q0")
    assert run_cli(["responses", str(study.config_path)]) == 2
    assert "an item has the id 'condition'" in capsys.readouterr().err
