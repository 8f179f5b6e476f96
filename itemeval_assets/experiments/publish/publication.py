"""A run in the making: its folder is taken, its parts are written, its manifest comes last.

Whoever publishes does it through this: specs that are to be run, or a study that has been.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.layout.records import (
    Completion,
    ExperimentRunManifest,
    to_yaml,
)
from itemeval_assets.experiments.layout.versions import SemVer, VersionBump
from itemeval_assets.experiments.read.experiment import PublishedExperiment
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.read.version import VersionedExperiment

from .artifacts import InputFiles

Begin = Callable[[ExperimentRun], tuple[str, bytes]]
"""The key and the data of the first object of a run."""

# How many seconds in a row may belong to other runs before something must be wrong.
_MOST_ATTEMPTS = 120


@contextmanager
def publication(
    experiment: PublishedExperiment,
    version: SemVer | VersionBump,
    begin: Begin,
    *,
    workflow_run_id: str,
    experiment_name: str,
) -> Iterator[ExperimentRun]:
    """Publish the run that the block is given: it writes the parts, and its end the manifest,
    without which there is none. Where the block fails, nothing stays of what was written.

    Raises StoreError when the store refuses.
    """
    run = _reserve(experiment, version, begin)
    uri, place = run.backend.uri, run.place
    manifest = ExperimentRunManifest(
        workflow_run_id=workflow_run_id,
        experiment_id=run.experiment_id,
        experiment_name=experiment_name,
        specs_uri=uri(place.specs),
        io_spec=uri(place.io_spec),
        input_artifacts=uri(place.input_artifacts),
    )
    try:
        yield run
        create(run, place.manifest, manifest)
    except BaseException as error:
        _withdraw(run, error)
        raise


def _reserve(
    experiment: PublishedExperiment, version: SemVer | VersionBump, begin: Begin
) -> ExperimentRun:
    """Take the folder of this second by writing its first object, that of `begin`.

    Where another run has the second, or the version that was to be new, the next one is tried.
    Raises StoreError when others are faster for two minutes.
    """
    for _ in range(_MOST_ATTEMPTS):
        chosen = VersionedExperiment(experiment, experiment.resolve_next_version(version))
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        run = ExperimentRun(chosen, now)
        key, data = begin(run)
        if experiment.backend.create(key, data):
            is_new = not isinstance(version, SemVer) and version != "keep"
            if not is_new or _is_alone(run):
                return run
            experiment.backend.delete(key)
        time.sleep(1 - time.time() % 1)
    raise StoreError(
        f"{experiment.backend.uri(experiment.prefix)}: for {_MOST_ATTEMPTS} seconds other writers "
        "were faster to begin a run; try again"
    )


def _is_alone(run: ExperimentRun) -> bool:
    """Whether no other run has begun this version in the meantime."""
    version = run.backend.list(run.versioned_experiment.prefix)
    return all(key.startswith(f"{run.prefix}/") for key in version)


def create(run: ExperimentRun, key: str, document: bytes | BaseModel | Mapping[str, Any]) -> None:
    """Write an object, a document as YAML. Raises StoreError where there is one already."""
    data = document if isinstance(document, bytes) else to_yaml(document)
    if not run.backend.create(key, data):
        raise StoreError(f"{run.backend.uri(key)} already exists; another writer uses this folder")


def describe(run: ExperimentRun, schema: Mapping[str, Any], inputs: InputFiles) -> None:
    """Write the schema of input and output, and the input files with their record."""
    artifacts = inputs.upload(run.backend, run.place)
    create(run, run.place.io_spec, schema)
    create(run, run.place.input_artifacts, artifacts)


def store_result(run: ExperimentRun, field: str, run_id: str, path: Path) -> str:
    """Upload what came of a spec to results/<field>/<run id of the spec>.<ext>; its URI."""
    key = run.place.result_file(field, run_id, path.suffix)
    run.backend.upload(path, key)
    return run.backend.uri(key)


def complete(run: ExperimentRun, ended: Completion) -> None:
    """Record how a run has ended."""
    run.backend.update(run.place.completion, lambda _: to_yaml(ended))


def _withdraw(run: ExperimentRun, reason: BaseException) -> None:
    """Delete what was written of a run."""
    try:
        for key in run.backend.list(run.prefix):
            run.backend.delete(key)
    except StoreError as error:
        # The run has no manifest: to every reader there is none. The first error matters more.
        reason.add_note(f"What was written of {run.uri} could not be deleted: {error}")
