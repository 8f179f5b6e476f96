"""What people look up of published experiments: lists, and the details of one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import BaseExperiment, list_experiments
from .errors import SpecError
from .published import ExperimentRun, VersionedExperiment
from .settings import ExperimentStorageSettings
from .versions import SemVer

__all__ = [
    "ExperimentSummary",
    "RunDetails",
    "RunSummary",
    "find_run",
    "run_details",
    "summarize_experiments",
    "summarize_runs",
]

FAILURES_SHOWN = 20


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

    `inputs` and `outputs`: {field: type and description}; `frames`: {name: where it is};
    `failures`: the first specs that failed, with their index, error and message.
    """

    summary: RunSummary
    manifest: dict[str, Any]
    inputs: dict[str, str]
    outputs: dict[str, str]
    artifacts: dict[str, list[str]]
    frames: dict[str, str]
    failures: list[dict[str, Any]] = field(default_factory=list)


def summarize_experiments(storage: ExperimentStorageSettings) -> list[ExperimentSummary]:
    """Every experiment with a published run, by name."""
    found = []
    for name in list_experiments(storage):
        versions = BaseExperiment[Any, Any](name, storage_settings=storage).list_versions()
        runs = [run for version in versions for run in version.list_runs()]
        found.append(ExperimentSummary(name, len(versions), len(runs), summarize_run(runs[-1])))
    return found


def summarize_runs(experiment: BaseExperiment[Any, Any]) -> list[RunSummary]:
    """Every run, by version and time. Raises ExperimentNotFoundError when there is none."""
    versions = experiment.list_versions()
    if not versions:
        _ = experiment.latest_run  # raises, and lists the experiments there are
    return [summarize_run(run) for version in versions for run in version.list_runs()]


def find_run(
    experiment: BaseExperiment[Any, Any], version: str | None, timestamp: str | None
) -> ExperimentRun[Any, Any]:
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
        return experiment.latest_run.versioned_experiment.run_at(str(timestamp))
    try:
        chosen: VersionedExperiment[Any, Any] = experiment.version(SemVer.FromString(version))
    except ValueError as error:
        raise SpecError(str(error)) from error
    return chosen.latest_run if timestamp is None else chosen.run_at(timestamp)


def summarize_run(run: ExperimentRun[Any, Any]) -> RunSummary:
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


def run_details(run: ExperimentRun[Any, Any]) -> RunDetails:
    """What is in a run, without reading its frames; those that failed are read."""
    files = run.list_results_files()
    schema = run.io_spec()
    return RunDetails(
        summary=summarize_run(run),
        manifest=run.manifest().model_dump(mode="json"),
        inputs=_fields(schema, "input"),
        outputs=_fields(schema, "output"),
        artifacts=run.input_artifacts(),
        frames={name: run.backend.uri(key) for name, key in files.items()},
        failures=_failures(run) if "errors" in files else [],
    )


def _failures(run: ExperimentRun[Any, Any]) -> list[dict[str, Any]]:
    rows = run.head("errors", FAILURES_SHOWN).reset_index()
    hidden = {"experiment_id", "workflow_run_id", "root_workflow_run_id", "traceback"}
    shown = rows[[name for name in rows.columns if name not in hidden]]
    return [{str(k): _plain(v) for k, v in row.items()} for row in shown.to_dict("records")]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _fields(schema: Mapping[str, Any], side: str) -> dict[str, str]:
    """{field: type and description} of the input or output of an io spec."""
    part = _resolved(schema, schema.get("properties", {}).get(side, {}))
    return {name: _told(found) for name, found in part.get("properties", {}).items()}


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = part.get("$ref")
    if reference is None:
        return part
    return schema.get("$defs", {}).get(reference.rpartition("/")[2], {})


def _told(found: Mapping[str, Any]) -> str:
    description = found.get("description")
    return _type(found) + (f": {description}" if description else "")


def _type(found: Mapping[str, Any]) -> str:
    if "$ref" in found:
        return found["$ref"].rpartition("/")[2]
    if "anyOf" in found:
        return " | ".join(dict.fromkeys(_type(part) for part in found["anyOf"]))
    bounds = [
        f"{sign} {found[name]}"
        for name, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if name in found
    ]
    return " ".join([str(found.get("format") or found.get("type", "any")), *bounds])
