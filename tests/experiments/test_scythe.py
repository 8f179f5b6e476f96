"""The published client, scythe-engine 1.3.0, reads what we write, and we read what it wrote.

It runs in an environment of its own, made by `uv sync --project tests/scythe --frozen`, because
it pins older pandas and pyarrow. What "it wrote" is written by its own code from end to end:
its allocate(), its task wrapper with the uploads of files, and its scatter_gather task. Only its
queue, which needs a server, is replaced: what would be queued runs at once.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentStorageSettings,
    FileReference,
    SemVer,
    compare_versions,
    list_experiments,
    run_details,
)
from itemeval_assets.experiments.frames.specs_table import read_specs
from itemeval_assets.experiments.work.fetching import Fetcher
from tests.experiments import toys
from tests.experiments.toys import Number, simulate_energy, simulations, square

HERE = Path(__file__).parents[1] / "scythe"
PYTHON = HERE / ".venv" / "bin" / "python"
LEVELS = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"]

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="make it with: uv sync --project tests/scythe --frozen"
)


@pytest.fixture
def bucket(s3_location: str, monkeypatch: pytest.MonkeyPatch) -> ExperimentStorageSettings:
    name, _, prefix = s3_location.removeprefix("s3://").partition("/")
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", name)
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET_PREFIX", prefix)
    return ExperimentStorageSettings()


def scythe(*arguments: str) -> dict[str, Any]:
    """What the published client answers."""
    kept = ("PATH", "HOME", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "SCYTHE_STORAGE_BUCKET": "unused"}
    done = subprocess.run(
        [PYTHON, HERE / "client.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_published_client_reads_what_we_write(bucket, instance, tmp_path):
    (tmp_path / "a.epw").write_text("sunny")
    specs = simulations(5, weather=tmp_path / "a.epw")
    energy = BaseExperiment(simulate_energy)
    toys.failing[3.0] = ValueError("no 3")
    for bump in ("bumpmajor", "bumpminor"):
        _, ref = energy.allocate(specs, version=bump, instance=instance)
        ref.result()
    energy.allocate(specs, version="keep", start=False, instance=instance)

    found = scythe("read", bucket.BUCKET, bucket.BUCKET_PREFIX, "simulate_energy")
    runs = [run for version in energy.list_versions() for run in version.list_runs()]
    assert found["versions"] == ["v1.0.0", "v1.1.0"]
    assert found["latest_version"] == "v1.1.0"
    assert [run["experiment_id"] for run in found["runs"]] == [run.experiment_id for run in runs]
    for theirs, ours in zip(found["runs"], runs, strict=True):
        assert theirs["manifest"] == ours.manifest().model_dump()
        assert theirs["specs"] == 5
        assert theirs["results"].items() <= ours.list_results_files().items()
    first = found["runs"][0]
    levels = [*LEVELS, "temperature", "pressure", "material", "is_hot"]
    assert first["levels"] | {"errors": levels} == {
        "scalars": levels,
        "result_file_refs": levels,
        "error_bars": levels,
        "errors": levels,
        "hourly": [*levels, "sort_subindex"],
    }
    assert first["columns"]["scalars"] == ["energy", "efficiency"]
    assert (first["rows"]["scalars"], first["rows"]["hourly"]) == (4, 8)


@pytest.mark.long
def test_a_run_of_one_spec_and_one_where_all_failed_are_read_too(bucket, instance):
    squares = BaseExperiment(square, run_name="squares")
    squares.allocate(Number(x=3), instance=instance)[1].result()
    _, ref = squares.allocate(Number(x=-3), instance=instance)
    with pytest.raises(Exception, match="every spec failed"):
        ref.result()
    found = scythe("read", bucket.BUCKET, bucket.BUCKET_PREFIX, "squares")
    assert [run["rows"].get("scalars") for run in found["runs"]] == [1, 0]


class Simulation(ExperimentInputSpec):
    temperature: float = Field(description="in kelvin", ge=0)
    material: str
    weather: FileReference


def test_we_read_what_the_published_client_wrote(bucket, tmp_path):
    wrote = scythe("write", bucket.BUCKET, bucket.BUCKET_PREFIX, str(tmp_path))
    experiment = BaseExperiment("simulate_energy")
    assert list_experiments() == ["simulate_energy"]
    assert [version.version for version in experiment.list_versions()] == [SemVer(major=1)]
    run = experiment.latest_run
    assert run.experiment_id == run.manifest().experiment_id == wrote["experiment_id"]
    assert experiment.latest_results == wrote["results"]
    found = run.status()
    assert (found.status, found.specs, found.succeeded, found.failed) == ("incomplete", 4, 3, 1)

    scalars = run.load_results().sort_index(level="sort_index")
    # Its index holds file references as well, and its workers lose the spec that failed.
    assert list(scalars.index.names) == [*LEVELS, "temperature", "material", "weather", "is_hot"]
    assert scalars["energy"].tolist() == [540.0, 560.0, 600.0]
    report = run.load_results("result_file_refs")["report"].iloc[0]
    assert Fetcher(run.backend)(report).read_text() == "steel"
    (weather,) = run.input_artifacts()["weather"]
    assert Fetcher(run.backend)(weather).read_text() == "sunny"
    assert run.io_spec()["$defs"]["Simulation"]["properties"]["temperature"]["minimum"] == 0

    shown = run_details(run).frames["scalars"]
    assert (shown.rows, list(shown.index)[4:]) == (
        3,
        ["temperature", "material", "weather", "is_hot"],
    )
    assert "energy" in shown.columns
    assert compare_versions(experiment, run, run).is_equal

    data = run.backend.read(run.place.specs)
    assert data is not None
    specs = read_specs(data, Simulation)
    assert [spec.temperature for spec in specs] == [270.0, 280.0, 290.0, 300.0]
    assert str(specs[0].weather) == weather
    assert experiment.resolve_next_version("bumppatch") == SemVer(major=1, patch=1)
