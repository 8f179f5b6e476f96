"""What a Celery worker has loaded before a run begins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dagster_celery")
pytest.importorskip("dagster_postgres")

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "CELERY_BROKER_URL": "memory://",
    "CELERY_RESULT_URL": "cache+memory://",
    "PYTHONPATH": str(ROOT),
}
# A run in a process that is a copy of a worker, as Celery makes one.
RUN = """
import os, sys, threading
from pathlib import Path
from deploy.celery_app import load_packages
load_packages()
loaded = set(sys.modules)
assert threading.active_count() == 1  # a copy would not have the others
if os.fork() == 0:
    from itemeval_assets import api
    from tests.studies import write_study
    api.run(write_study(Path.cwd()))
    new = set(sys.modules) - loaded
    print(len(new), *sorted({name.partition(".")[0] for name in new}))
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""


@pytest.mark.long
def test_a_run_loads_hardly_anything_that_its_worker_has_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={**ENVIRONMENT, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    count = int(done.stdout.splitlines()[-1].split()[0])
    assert 0 < count <= 200, done.stdout  # without a worker: more than 3,000


def test_a_worker_refuses_an_executor_that_starts_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CELERY_BROKER_URL", "CELERY_RESULT_URL"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXECUTOR", "multiprocess")
    from deploy.celery_app import load_packages

    with pytest.raises(SystemExit, match="use in_process or celery"):
        load_packages()
