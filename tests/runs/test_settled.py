"""A run without anything to do starts no run of Dagster; what has changed is looked at again."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError, StoreError
from itemeval_assets.runs.summary import RunSummary
from itemeval_assets.settings import dagster_home_of
from itemeval_assets.storage.study.layout import SETTLED
from tests.studies import write_study

HEAVY = ("dagster", "inspect_ai", "datasets", "sqlalchemy", "matplotlib")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study whose first run is over."""
    study = api.load_study(write_study(tmp_path))
    assert api.run(study).run_ids
    return study


def place(study: Study) -> Path:
    return Path(study.location)


def without_runs(summary: RunSummary) -> bool:
    return not (summary.run_ids or summary.calls or summary.usd)


def test_it_says_what_a_run_says(study: Study) -> None:
    first = api.run(study, force=True)
    again = api.run(study)
    assert without_runs(again)
    assert (again.status, again.export, again.changed_at) == (
        first.status,
        first.export,
        first.changed_at,
    )
    assert (again.exit_code, again.reason, again.missing, again.errored) == (0, None, 0, 0)


def test_it_writes_nothing(study: Study) -> None:
    def files() -> dict[str, int]:
        found = filter(Path.is_file, study.config_dir.rglob("*"))
        return {str(path): path.stat().st_mtime_ns for path in found}

    before = files()
    assert without_runs(api.run(study, workers=2))
    assert without_runs(api.run(study, only="gradings"))
    assert without_runs(api.run(study, errored=True))
    assert files() == before


def test_it_loads_neither_dagster_nor_inspect_ai(study: Study) -> None:
    code = (
        "import sys; from itemeval_assets.cli.main import run_cli;"
        f"code = run_cli(['run', {str(study.config_path)!r}, '--workers', '2']);"
        f"print(code, sorted({set(HEAVY)} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr
    assert "This run: nothing was pending, no model was called. The results last" in done.stdout


def edit_the_config(study: Study) -> None:
    with study.config_path.open("a") as config:
        config.write("# a comment\n")


CHANGES: dict[str, Callable[[Study], object]] = {
    "a log that no table knows": lambda study: next(
        place(study).glob("log_index.parquet/generate/*.parquet")
    ).unlink(),
    "a deleted table": lambda study: (place(study) / "ledger.parquet").unlink(),
    "a deleted partition": lambda study: next(
        place(study).glob("gradings.parquet/*/*.parquet")
    ).unlink(),
    "a deleted export": lambda study: (place(study) / "export" / "cells.csv").unlink(),
    "an edited export": lambda study: (place(study) / "export" / "cells.csv").write_text("x"),
    "a new Dagster home": lambda study: shutil.rmtree(dagster_home_of(study.config_dir)),
    "an edited config": edit_the_config,
    "no note": lambda study: (place(study) / SETTLED).unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_looked_at_again(study: Study, change: str) -> None:
    CHANGES[change](study)
    study = api.load_study(study.config_path)
    mended = api.run(study)
    assert mended.run_ids and not mended.calls
    assert without_runs(api.run(study))


def test_changed_data_are_refused_as_ever(study: Study) -> None:
    with (study.config_dir / "items.jsonl").open("a") as items:
        items.write(json.dumps({"id": "new", "problem": "?", "answer": "1"}) + "\n")
    with pytest.raises(DatasetError, match="changed since this study pinned it"):
        api.run(study)


def test_a_damaged_note_is_told(study: Study) -> None:
    (place(study) / SETTLED).write_text("{")
    with pytest.raises(StoreError, match=r"settled\.json is not valid JSON"):
        api.run(study)


def test_what_is_pending_is_run(study: Study) -> None:
    larger = api.load_study(write_study(study.config_dir, models=["mockllm/a", "mockllm/b"]))
    assert api.run(larger).calls
    assert without_runs(api.run(larger))
