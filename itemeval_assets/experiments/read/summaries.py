"""What people look up of published experiments: lists, and the details of one run."""

from dataclasses import dataclass, field
from typing import Any

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.layout.versions import SemVer
from itemeval_assets.experiments.outputs.survey import ERRORS

from .experiment import PublishedExperiment, list_experiments
from .fields import fields
from .frame_details import FrameDetails, frames_of
from .preview import preview
from .run import ExperimentRun
from .version import VersionedExperiment

_FAILURES_SHOWN = 20


@dataclass(frozen=True)
class RunSummary:
    """How one run stands. Counts are null where they are not known (yet)."""

    experiment: str
    version: str
    timestamp: str
    status: str
    specs: int | None
    succeeded: int | None
    failed: int | None
    uri: str


@dataclass(frozen=True)
class ExperimentSummary:
    """An experiment with its number of versions and runs, and its newest run."""

    experiment: str
    versions: int
    runs: int
    latest: RunSummary


@dataclass(frozen=True)
class RunDetails:
    """One run: its manifest, the fields of its specs, its frames, and what failed.

    `inputs` and `outputs`: {field: type and description}; `frames` by name; `failures`: the first
    specs that failed, with their error, message and index.
    """

    summary: RunSummary
    manifest: dict[str, Any]
    inputs: dict[str, str]
    outputs: dict[str, str]
    artifacts: dict[str, list[str]]
    frames: dict[str, FrameDetails]
    failures: list[dict[str, Any]] = field(default_factory=list)


def summarize_experiments(storage: ExperimentStorageSettings) -> list[ExperimentSummary]:
    """Every experiment with a published run, by name."""
    found = []
    for name in list_experiments(storage):
        versions = PublishedExperiment(name, storage_settings=storage).list_versions()
        runs = [run for version in versions for run in version.list_runs()]
        found.append(ExperimentSummary(name, len(versions), len(runs), summarize_run(runs[-1])))
    return found


def summarize_runs(experiment: PublishedExperiment) -> list[RunSummary]:
    """Every run, by version and time. Raises ExperimentNotFoundError when there is none."""
    versions = experiment.list_versions()
    if not versions:
        _ = experiment.latest_run  # raises, and lists the experiments there are
    return [summarize_run(run) for version in versions for run in version.list_runs()]


def find_run(
    experiment: PublishedExperiment, version: str | None, timestamp: str | None
) -> ExperimentRun:
    """The run of a version and time; the newest one of what is left open."""
    if version is None and timestamp is None:
        return experiment.latest_run
    if version is None:
        matches = [
            run
            for known in experiment.list_versions()
            for run in known.list_runs()
            if run.place.timestamp == timestamp
        ]
        if matches:
            return matches[-1]
        newest = experiment.latest_run.versioned_experiment.version
        return experiment.version(newest).run_at(str(timestamp))
    chosen = named_version(experiment, version)
    return chosen.latest_run if timestamp is None else chosen.run_at(timestamp)


def named_version(experiment: PublishedExperiment, text: str) -> VersionedExperiment:
    """The version `v1.2.0`. Raises SpecError for a text that is none."""
    try:
        return experiment.version(SemVer.FromString(text))
    except ValueError as error:
        raise SpecError(str(error)) from error


def summarize_run(run: ExperimentRun) -> RunSummary:
    completion = run.status()
    return RunSummary(
        experiment=run.versioned_experiment.base_experiment.base_id,
        version=str(run.versioned_experiment.version),
        timestamp=run.place.timestamp,
        status=completion.status,
        specs=completion.specs,
        succeeded=completion.succeeded,
        failed=completion.failed,
        uri=run.uri,
    )


def run_details(run: ExperimentRun) -> RunDetails:
    """What is in a run, from the ends of its frames; the first rows of those that failed."""
    io_spec, frames = run.io_spec(), frames_of(run)
    return RunDetails(
        summary=summarize_run(run),
        manifest=run.manifest().model_dump(mode="json"),
        inputs=fields(io_spec, "input"),
        outputs=fields(io_spec, "output"),
        artifacts=run.input_artifacts(),
        frames=frames,
        failures=_failures(run) if ERRORS in frames else [],
    )


def _failures(run: ExperimentRun) -> list[dict[str, Any]]:
    names, rows = preview(
        run.head(ERRORS, _FAILURES_SHOWN),
        hidden=("traceback",),
        first=("sort_index", "error_type", "message"),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]
