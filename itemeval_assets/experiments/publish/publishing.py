"""Publishes a run: everything is checked, its folder reserved, its parts written, manifest last."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.frames.specs_table import specs_table
from itemeval_assets.experiments.layout.records import Completion, ExperimentRunManifest, to_yaml
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings
from itemeval_assets.experiments.layout.versions import SemVer, VersionBump
from itemeval_assets.experiments.read.experiment import PublishedExperiment
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.read.version import VersionedExperiment
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import encode_specs, require_serialisable
from itemeval_assets.storage.objects.backends import Backend

from .artifacts import LocalFiles, collect_local_files

__all__ = ["publish", "reserve", "withdraw"]

SPECS_PER_SHARD = 500
# How many seconds in a row may belong to other runs before something must be wrong.
MOST_ATTEMPTS = 120


@dataclass(frozen=True)
class Prepared:
    """A reserved run with the specs it will have: copies that know their run."""

    run: ExperimentRun[Any, Any]
    specs: list[ExperimentInputSpec]
    root_run_id: str


def publish(
    experiment: PublishedExperiment[Any, Any],
    specs: Sequence[ExperimentInputSpec] | ExperimentInputSpec,
    version: SemVer | VersionBump,
    settings: ExperimentRunSettings,
) -> ExperimentRun[Any, Any]:
    """Publish specs as a run of a version. The specs given are not changed.

    Raises SpecError before anything is written; StoreError when the store refuses, and then
    nothing stays of what was written.
    """
    if not isinstance(specs, Iterable):
        raise SpecError(f"{type(specs).__name__} is no spec; give one, or a sequence of them")
    given: list[Any] = [specs] if isinstance(specs, BaseModel) else list(specs)
    require_specs(given, experiment.require_input_type())
    files = collect_local_files(given)
    prepared = _reserve(experiment, given, files, version)
    try:
        _write(prepared, files, settings.shard_size or SPECS_PER_SHARD)
    except BaseException as error:
        withdraw(prepared.run, error)
        raise
    return prepared.run


def require_specs(specs: Sequence[Any], input_type: type[ExperimentInputSpec]) -> None:
    """Raise SpecError unless there are specs, all of exactly this type, that can be stored."""
    if not specs:
        raise SpecError("there are no specs to run; give at least one")
    for number, spec in enumerate(specs):
        if type(spec) is not input_type:
            raise SpecError(
                f"spec {number} is a {type(spec).__name__}; the experiment takes "
                f"{input_type.__name__}"
            )
    require_serialisable(specs)


def _reserve(
    experiment: PublishedExperiment[Any, Any],
    given: Sequence[ExperimentInputSpec],
    files: LocalFiles,
    version: SemVer | VersionBump,
) -> Prepared:
    """Take a folder by writing its specs, which name their run, as the first."""
    root_run_id = str(uuid.uuid4())
    prepared: list[ExperimentInputSpec] = []

    def begin(run: ExperimentRun[Any, Any]) -> tuple[str, bytes]:
        prepared[:] = _copies(given, files, run, root_run_id)
        return run.place.specs, specs_table(prepared)

    return Prepared(reserve(experiment, version, begin), prepared, root_run_id)


def reserve(
    experiment: PublishedExperiment[Any, Any],
    version: SemVer | VersionBump,
    begin: Callable[[ExperimentRun[Any, Any]], tuple[str, bytes]],
) -> ExperimentRun[Any, Any]:
    """Take the folder of this second by writing its first object: `begin(run)` is its key and data.

    Where another run has the second, or the version that was to be new, the next one is tried.
    Raises StoreError when others are faster for two minutes.
    """
    for _ in range(MOST_ATTEMPTS):
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
        f"{experiment.backend.uri(experiment.prefix)}: for {MOST_ATTEMPTS} seconds others were "
        "faster to begin a run; try again"
    )


def _is_alone(run: ExperimentRun[Any, Any]) -> bool:
    """Whether no other run has begun this version in the meantime."""
    version = run.backend.list(run.versioned_experiment.prefix)
    return all(key.startswith(f"{run.prefix}/") for key in version)


def _copies(
    given: Sequence[ExperimentInputSpec],
    files: LocalFiles,
    run: ExperimentRun[Any, Any],
    root_run_id: str,
) -> list[ExperimentInputSpec]:
    """The specs as the run has them: ids set, local files replaced by their uploads."""
    root = uuid.UUID(root_run_id)
    return [
        spec.model_copy(
            update={
                "experiment_id": run.experiment_id,
                "sort_index": number,
                "workflow_run_id": str(uuid.uuid5(root, str(number))),
                "root_workflow_run_id": root_run_id,
                **files.references(spec, run.backend, run.place),
            }
        )
        for number, spec in enumerate(given)
    ]


def _write(prepared: Prepared, files: LocalFiles, size: int) -> None:
    """Everything beside the specs; the manifest last, which makes the run a published one."""
    run, specs = prepared.run, prepared.specs
    place, backend = run.place, run.backend
    files.upload(backend, place)
    documents: dict[str, BaseModel | dict[str, Any]] = {
        place.io_spec: run.versioned_experiment.base_experiment.experiment.schema,
        place.input_artifacts: files.record(backend, place),
        place.completion: Completion(specs=len(specs)),
    }
    if len(specs) == 1:
        documents[place.workflow_spec] = specs[0].model_dump(mode="json")
    for key, document in documents.items():
        _create(backend, key, to_yaml(document))
    for shard, start in enumerate(range(0, len(specs), size)):
        _create(backend, place.shard_input(shard), encode_specs(specs[start : start + size]))
    _create(backend, place.manifest, to_yaml(_manifest(prepared)))


def _manifest(prepared: Prepared) -> ExperimentRunManifest:
    run = prepared.run
    uri, place = run.backend.uri, run.place
    return ExperimentRunManifest(
        experiment_id=run.experiment_id,
        experiment_name=run.versioned_experiment.base_experiment.experiment.experiment_name,
        workflow_run_id=prepared.root_run_id,
        specs_uri=uri(place.specs),
        io_spec=uri(place.io_spec),
        input_artifacts=uri(place.input_artifacts),
    )


def _create(backend: Backend, key: str, data: bytes) -> None:
    if not backend.create(key, data):
        raise StoreError(f"{backend.uri(key)} is there already; another writer uses this folder")


def withdraw(run: ExperimentRun[Any, Any], reason: BaseException) -> None:
    """Delete what was written of a run."""
    try:
        for key in run.backend.list(run.prefix):
            run.backend.delete(key)
    except StoreError as error:
        # The run has no manifest: to every reader there is none. The first error matters more.
        reason.add_note(f"What was written of {run.uri} could not be deleted: {error}")
