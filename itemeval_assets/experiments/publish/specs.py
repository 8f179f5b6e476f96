"""Publishes specs as a run: everything is checked before anything is written."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.frames.specs_table import specs_table
from itemeval_assets.experiments.layout.records import Completion
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings
from itemeval_assets.experiments.layout.versions import SemVer, VersionBump
from itemeval_assets.experiments.read.experiment import PublishedExperiment
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import encode_specs, require_serialisable

from .artifacts import InputFiles, collect_local_files
from .publication import create, describe, publication

_SPECS_PER_SHARD = 500


def publish(
    experiment: PublishedExperiment,
    specs: Sequence[ExperimentInputSpec] | ExperimentInputSpec,
    version: SemVer | VersionBump,
    settings: ExperimentRunSettings,
) -> ExperimentRun:
    """Publish specs as a run of a version. The specs given are not changed.

    Raises SpecError before anything is written; StoreError when the store refuses, and then
    nothing stays of what was written.
    """
    if not isinstance(specs, Iterable):
        raise SpecError(f"{type(specs).__name__} is no spec; give one, or a sequence of them")
    given: list[Any] = [specs] if isinstance(specs, BaseModel) else list(specs)
    function = experiment.experiment
    _require_specs(given, function.input_type)
    files = collect_local_files(given)
    root_run_id, prepared = str(uuid.uuid4()), list[ExperimentInputSpec]()

    def begin(run: ExperimentRun) -> tuple[str, bytes]:
        prepared[:] = _copies(given, files, run, root_run_id)
        return run.place.specs, specs_table(prepared)

    with publication(
        experiment,
        version,
        begin,
        workflow_run_id=root_run_id,
        experiment_name=function.experiment_name,
    ) as run:
        describe(run, function.schema, files)
        _write_specs(run, prepared, settings.shard_size or _SPECS_PER_SHARD)
    return run


def _require_specs(specs: Sequence[Any], input_type: type[ExperimentInputSpec]) -> None:
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


def _copies(
    given: Sequence[ExperimentInputSpec], files: InputFiles, run: ExperimentRun, root_run_id: str
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


def _write_specs(run: ExperimentRun, specs: list[ExperimentInputSpec], size: int) -> None:
    """What is to be run, shard by shard."""
    place = run.place
    create(run, place.completion, Completion(specs=len(specs)))
    if len(specs) == 1:
        create(run, place.workflow_spec, specs[0])
    for shard, start in enumerate(range(0, len(specs), size)):
        create(run, place.shard_input(shard), encode_specs(specs[start : start + size]))
