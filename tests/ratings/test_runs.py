"""A run of a study with raters: nobody is called for them, and they are in nobody's way."""

from pathlib import Path

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.study_files import load_study
from tests.ratings.study import as_csv, filled
from tests.studies import write_study
from tests.whole.looking import assert_reconciled, results_dir


def test_raters_are_in_nobodys_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graders = {
        "judge": {"model": "mockllm/judge", "scale": [0, 1]},
        "anna": {"kind": "human", "scale": [0, 1]},
    }
    config = write_study(
        tmp_path, graders=["judge", "anna"], scorer=None, extra={"graders": graders}
    )
    foreseen = api.estimate(config)
    assert foreseen.remaining.calls == 8
    summary = api.run(config, max_usd=1.0)
    assert (summary.exit_code, summary.calls, summary.missing) == (0, 8, 0)
    assert not summary.failed_checks
    [_, people] = summary.status.grade
    assert (people.missing, people.by_people, people.own("missing")) == (4, True, 0)
    assert api.run(config).run_ids == []
    lacking = api.count_cells(config, states="missing")
    assert {(one.state, one.reason, one.cells) for one in lacking.reasons} == {
        ("missing", "people rate it", 4)
    }
    capsys.readouterr()
    assert run_cli(["status", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "anna · strict: rated by people, and no run grades what is missing there" in told
    assert run_cli(["scores", str(config)]) == 0
    assert "Nobody has rated an answer yet" in " ".join(capsys.readouterr().out.split())
    released = api.release(config)
    assert (released.events, released.missing) == (4, 0)
    sheet = tmp_path / "sheet.csv"
    api.ratings_sheet(config, "anna", sheet)
    assert api.run(config).run_ids == []
    api.import_ratings(as_csv(sheet, filled(load_study(config), sheet)), config)
    assert api.run(config).exit_code == 0 and api.run(config).run_ids == []
    exported = pd.read_parquet(results_dir(config) / "export" / "gradings_long.parquet")
    assert exported["grade_kind"].value_counts().to_dict() == {"judge": 4, "human": 4}
    assert api.release(config).events == 8
    assert_reconciled(config)
