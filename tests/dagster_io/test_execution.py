"""Runs in this process: which of those in progress are dead."""

import subprocess
import sys
from pathlib import Path

import dagster as dg

from itemeval_assets.dagster_io.execution import PROCESS_TAG, instance_of
from itemeval_assets.storage.locking.processes import this_process

ENDED = "from itemeval_assets.storage.locking.processes import this_process; print(this_process())"


def test_a_run_whose_process_is_gone_has_failed(tmp_path: Path) -> None:
    gone = subprocess.check_output([sys.executable, "-c", ENDED], text=True).strip()
    runs = {
        name: dg.DagsterRun("job", status=dg.DagsterRunStatus.STARTED, tags=tags)
        for name, tags in {
            "gone": {PROCESS_TAG: gone},
            "here": {PROCESS_TAG: this_process()},
            "elsewhere": {},
        }.items()
    }
    with instance_of(tmp_path) as instance:
        for run in runs.values():
            instance.add_run(run)
    with instance_of(tmp_path) as instance:
        found = {name: instance.get_run_by_id(run.run_id) for name, run in runs.items()}
    assert {name: run and run.status.value for name, run in found.items()} == {
        "gone": "FAILURE",
        "here": "STARTED",
        "elsewhere": "STARTED",
    }
