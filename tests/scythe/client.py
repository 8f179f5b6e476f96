"""scythe-engine's own code, driven from outside: writes an experiment, or reads one.

    python client.py write BUCKET PREFIX FOLDER
    python client.py read BUCKET PREFIX NAME

Prints one JSON document. Only its queue, which needs a server, is replaced: a task that would
be queued runs here at once. What it writes and reads is the work of its own classes.
"""

# Its imports are in an environment of its own.
# pyright: reportMissingImports=false

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from typing import Any


def placeholder() -> str:
    """A token in form only, for a queue that is never reached."""
    claims = {
        "sub": "test",
        "server_url": "http://127.0.0.1:1",
        "grpc_broadcast_address": "127.0.0.1:1",
    }
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in
             ({"alg": "none"}, claims)]  # fmt: skip
    return ".".join([*parts, "none"])


os.environ["HATCHET_CLIENT_TOKEN"] = placeholder()

import boto3  # noqa: E402
import yaml  # noqa: E402
from hatchet_sdk.runnables.workflow import Standalone  # noqa: E402
from pydantic import Field  # noqa: E402
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec  # noqa: E402
from scythe.experiments import BaseExperiment, ExperimentRunManifest  # noqa: E402
from scythe.registry import ExperimentRegistry  # noqa: E402
from scythe.scatter_gather import scatter_gather  # noqa: E402
from scythe.settings import ScytheStorageSettings  # noqa: E402
from scythe.utils.filesys import FileReference  # noqa: E402


class Simulation(ExperimentInputSpec):
    temperature: float = Field(description="in kelvin", ge=0)
    material: str
    weather: FileReference

    @property
    def computed_features(self) -> dict[str, Any]:
        return {"is_hot": self.temperature > 280}


class Energy(ExperimentOutputSpec):
    energy: float
    report: FileReference


@ExperimentRegistry.Register()
def simulate_energy(input_spec: Simulation, tempdir: Path) -> Energy:
    """Energy of a material."""
    if input_spec.temperature == 290:
        raise ValueError("too hot")
    report = tempdir / "report.txt"
    report.write_text(input_spec.material)
    return Energy(energy=input_spec.temperature * 2, report=report)


class Reference:
    """What the queue gives back for a task."""

    workflow_run_id = "f764ef33-a377-4572-a398-a2dc56a0810f"


def without_queue() -> list[Any]:
    """Keep what is queued, and run each task of a bulk at once; the kept ones."""
    kept: list[Any] = []

    def keep(self: Any, payload: Any, *_: Any, **__: Any) -> Reference:
        kept.append(payload)
        return Reference()

    async def run_each(self: Any, items: list[Any], return_exceptions: bool = False) -> list[Any]:
        results: list[Any] = []
        for item in items:
            try:
                output = self.mock_run(Simulation.model_validate(json.loads(item.input)))
                results.append(Energy.model_validate_json(output.model_dump_json()))
            except Exception as error:
                results.append(error)
        return results

    Standalone.run_no_wait = keep  # type: ignore[method-assign]
    Standalone.aio_run_many = run_each  # type: ignore[method-assign]
    return kept


def settings(bucket: str, prefix: str) -> ScytheStorageSettings:
    return ScytheStorageSettings(BUCKET=bucket, BUCKET_PREFIX=prefix)


def write(bucket: str, prefix: str, folder: str) -> dict[str, Any]:
    """Publish and run four specs, of which one fails, as its own client and workers do."""
    kept = without_queue()
    weather = Path(folder) / "weather.epw"
    weather.write_text("sunny")
    specs = [
        Simulation(
            experiment_id="none", sort_index=n, temperature=t, material="steel", weather=weather
        )
        for n, t in enumerate((270.0, 280.0, 290.0, 300.0))
    ]
    experiment = BaseExperiment(
        runnable=simulate_energy,
        run_name="simulate_energy",
        storage_settings=settings(bucket, prefix),
    )
    run, _ = experiment.allocate(specs, version="bumpmajor")
    asyncio.run(scatter_gather.aio_mock_run(kept[0]))
    return {"experiment_id": run.experiment_id, "results": run.list_results_files()}


def read(bucket: str, prefix: str, name: str) -> dict[str, Any]:
    """What its client finds of an experiment, and of each of its runs."""
    import pandas as pd

    experiment = BaseExperiment(
        runnable=simulate_energy, run_name=name, storage_settings=settings(bucket, prefix)
    )
    s3 = boto3.client("s3")
    runs = [run for version in experiment.list_versions() for run in version.list_runs()]
    found = []
    for run in runs:
        body = s3.get_object(Bucket=bucket, Key=run.manifest_filekey)["Body"].read()
        manifest = ExperimentRunManifest.model_validate(yaml.safe_load(body))
        files = run.list_results_files()
        frames = {key: pd.read_parquet(_fetched(s3, bucket, files[key])) for key in files}
        found.append(
            {
                "experiment_id": run.experiment_id,
                "manifest": manifest.model_dump(mode="json"),
                "results": files,
                "levels": {key: list(frame.index.names) for key, frame in frames.items()},
                "columns": {key: list(frame.columns) for key, frame in frames.items()},
                "rows": {key: len(frame) for key, frame in frames.items()},
                "specs": len(pd.read_parquet(_fetched(s3, bucket, run.specs_filekey))),
            }
        )
    latest = experiment.latest_version()
    return {
        "versions": [str(version.version) for version in experiment.list_versions()],
        "latest_version": str(latest.version) if latest else None,
        "latest_results": experiment.latest_results,
        "runs": found,
    }


def _fetched(s3: Any, bucket: str, key: str) -> Any:
    import io

    return io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    result = {"write": write, "read": read}[command](*arguments)
    sys.stdout.write(json.dumps(result))
