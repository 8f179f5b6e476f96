"""Who reads results, in a folder or a bucket, loads no Dagster and no database: they take long."""

import json
import subprocess
import sys

import pytest

from itemeval_assets.experiments import BaseExperiment
from tests.experiments.toys import simulate_energy, simulations

HEAVY = ("dagster", "alembic", "sqlalchemy")
READ = """
import json, sys
from itemeval_assets.experiments import BaseExperiment
experiment = BaseExperiment("simulate_energy")
run = experiment.latest_run_with_results
found = [len(run.load_results()), len(run.specs_frame()), len(run.download("copy"))]
print(json.dumps([*found, [name for name in sys.modules if name.startswith({heavy})]]))
"""
SHOW = """
import json, sys
from itemeval_assets.cli.main import run_cli
code = run_cli(["experiments", "show", "simulate_energy", "--json"])
print(json.dumps([name for name in sys.modules if name.startswith({heavy})]), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "storage", [pytest.param("folder", marks=pytest.mark.long), "bucket"], indirect=True
)
def test_reading_loads_no_dagster(storage, instance, tmp_path):
    _, ref = BaseExperiment(simulate_energy).allocate(simulations(2), instance=instance)
    ref.result()
    rows, specs, files, heavy = json.loads(run(READ.format(heavy=HEAVY), tmp_path).stdout)
    assert (rows, specs, heavy) == (2, 2, [])
    assert files > 5
    assert json.loads(run(SHOW.format(heavy=HEAVY), tmp_path).stderr.splitlines()[-1]) == []


def run(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_loading_loads_no_dagster(tmp_path):
    modules = "itemeval_assets.storage.objects.s3, itemeval_assets.experiments"
    loaded = f"import sys, {modules}; print(*(n for n in sys.modules if n.startswith({HEAVY})))"
    assert run(loaded, tmp_path).stdout.strip() == ""
