"""A home folder that is read-only or full, as in a container: a study needs none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from itemeval_assets import api
from tests.studies import write_study
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled

from .conftest import Report
from .study_runs import declare, loss_of

ITEMS = 2


@pytest.mark.parametrize("cache", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_run_goes_on_without_the_folders_of_inspect(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    report_fault: Report,
    cache: bool,
) -> None:
    """Promised: exit 0, one line for each folder, and every answer in the study."""
    server = serve()
    (tmp_path / "home").write_text("no folder")
    config = declare(tmp_path / "study", items=ITEMS, extra={"cache": cache})
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "home" / "cache"))
    assert api.estimate(config).remaining.calls == 2 * ITEMS
    summary = api.run(config, max_usd=50)
    assert (summary.exit_code, summary.errored, summary.missing) == (0, 0, 0)
    assert len(summary.notes) == 1 + cache
    assert all(f"{tmp_path / 'home'}/" in note for note in summary.notes)
    assert api.run(config).notes == []
    assert_reconciled(config)
    report_fault(
        "home folder that cannot be written",
        "exit 0 and a line for each folder; every answer in the study",
        injected=1,
        loss=loss_of(config, server, items=ITEMS),
    )


def test_a_process_without_a_home_and_with_a_full_disk_for_traces(tmp_path: Path) -> None:
    """Promised: no trace of it, beside the lines that say so."""
    (tmp_path / "home").write_text("no folder")
    config = write_study(tmp_path / "study", items=1)
    named = ("XDG_", "INSPECT_", "DAGSTER_HOME", "PYTEST_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(named)}
    environment |= {"HOME": str(tmp_path / "home"), "INSPECT_TRACE_FILE": "/dev/full"}
    command = Path(sys.executable).with_name("itemeval-assets")
    ended = subprocess.run(
        [command, "run", config, "--yes"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("cannot be written (Not a directory)") == 2
    for word in ("Traceback", "Logging error", "Exception ignored"):
        assert word not in ended.stdout + ended.stderr
