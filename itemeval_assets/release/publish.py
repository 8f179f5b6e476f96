"""Publishes a study: the frames, the logs, the evidence and the card; the manifest last."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.releases import PartitionContent
from itemeval_assets.core.spend import spend_by_model
from itemeval_assets.core.study import Study
from itemeval_assets.core.study_card import CardFacts, ConditionResult, study_card
from itemeval_assets.core.tables import LEDGER, SOLUTIONS
from itemeval_assets.experiments import (
    BaseExperiment,
    Completion,
    ExperimentRun,
    ExperimentRunManifest,
    ExperimentStorageSettings,
    SemVer,
)
from itemeval_assets.experiments.publish import reserve, withdraw
from itemeval_assets.experiments.records import InputArtifacts, to_yaml
from itemeval_assets.experiments.settings import storage_settings
from itemeval_assets.stages import ledger
from itemeval_assets.stages.export import require_sound
from itemeval_assets.stages.items import now
from itemeval_assets.storage.store import ResultsStore

from .content import Contents, PartitionRows, content_of, contents_of, needed_bump, partition_rows
from .documents import input_files, manifest_bytes, manifests_of, release_schema
from .frames import LOG_COLUMNS, Frames

__all__ = ["Release", "publish_release", "storage_for"]

RECORD = "release.json"
CARD = "STUDY_CARD.md"
PACKAGE = "itemeval-assets"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """A published release. `is_new` is false where nothing had changed since it.

    `missing` counts cells of the design without a sound grading event; `rows` are those of each
    frame, null for a release that was there already.
    """

    experiment_id: str
    version: str
    uri: str
    is_new: bool
    cells: int
    events: int
    missing: int
    rows: Mapping[str, int] | None = None


@dataclass
class _Draft:
    """A release in the making."""

    study: Study
    store: ResultsStore
    run: ExperimentRun[Any, Any]
    run_id: str
    contents: Contents
    say: Say


@dataclass
class _Written:
    """What was seen while the frames were written."""

    frames: Frames
    results: list[ConditionResult]
    run_ids: set[str]
    missing: int = 0


def publish_release(
    study: Study,
    store: ResultsStore,
    storage_settings: ExperimentStorageSettings,
    *,
    run_id: str,
    version: str | None = None,
    say: Say = lambda text: None,
) -> Release:
    """Publish the stored results of a study's design as a new version of its experiment.

    `version`: a bump (bumpmajor, bumpminor, bumppatch), or a version itself; null chooses the bump
    by what changed, and publishes nothing where nothing did. Raises StoreError, and publishes
    nothing, when the tables break a rule or hold no grading event.
    """
    require_sound(study, store)
    experiment: BaseExperiment[Any, Any] = BaseExperiment(
        study.name, storage_settings=storage_settings
    )
    contents = contents_of(study, store)
    wanted = _wanted_version(version) or _bump_since(experiment, study, store, contents)
    if wanted is None:
        return _as_it_is(experiment.latest_run)
    draft = _begin(experiment, wanted, study, store, run_id, contents, say)
    try:
        return _write(draft)
    except BaseException as error:
        withdraw(draft.run, error)
        raise


def storage_for(study: Study) -> ExperimentStorageSettings:
    """Where releases of a study go: the environment's bucket, or `experiments/` beside its YAML."""
    settings = storage_settings()
    if "BUCKET" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"BUCKET": str(study.config_dir / "experiments")})


def read_contents(run: ExperimentRun[Any, Any]) -> Contents | None:
    """What a published release holds; None for a run that is no release of ours."""
    data = run.backend.read(f"{run.prefix}/{RECORD}")
    if data is None:
        return None
    partitions: dict[str, Any] = json.loads(data)["partitions"]
    return {name: PartitionContent(**content) for name, content in partitions.items()}


def _wanted_version(version: str | None) -> str | SemVer | None:
    if version is None or version.startswith("bump"):
        return version
    try:
        return SemVer.FromString(version)
    except ValueError as error:
        raise StoreError(f"version: {error}") from error


def _bump_since(
    experiment: BaseExperiment[Any, Any], study: Study, store: ResultsStore, contents: Contents
) -> str | None:
    latest = experiment.latest_version()
    if latest is None:
        return "bumpmajor"
    before = read_contents(latest.latest_run)
    if before is None:
        return "bumpmajor"  # what another program published under this name
    return needed_bump(latest.latest_run, before, contents, study, store)


def _as_it_is(run: ExperimentRun[Any, Any]) -> Release:
    known = run.status()
    return Release(
        run.experiment_id,
        str(run.versioned_experiment.version),
        run.uri,
        False,
        known.specs or 0,
        known.succeeded or 0,
        known.failed or 0,
    )


def _begin(
    experiment: BaseExperiment[Any, Any],
    version: Any,
    study: Study,
    store: ResultsStore,
    run_id: str,
    contents: Contents,
    say: Say,
) -> _Draft:
    cells = sum(content.cells for content in contents.values())
    begun = to_yaml(Completion(specs=cells))
    run = reserve(experiment, version, lambda run: (run.place.completion, begun))
    say(f"publishing {run.uri}")
    return _Draft(study, store, run, run_id, contents, say)


def _write(draft: _Draft) -> Release:
    run, place = draft.run, draft.run.place
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        written = _write_frames(draft, Path(folder))
        for name, path in written.frames.files.items():
            key = place.specs if name == "specs" else place.final_file(name)
            run.backend.upload(path, key, give_away=True)
    manifests = manifests_of(draft.store, written.run_ids)
    for manifest in manifests:
        _create(draft, f"manifests/{manifest['run_id']}.json", manifest_bytes(manifest))
    _create(draft, "experiment_io_spec.yml", to_yaml(release_schema()))
    _create(draft, "input_artifacts.yml", to_yaml(_write_inputs(draft)))
    _create(draft, RECORD, _record(draft))
    _create(draft, CARD, study_card(_facts(draft, written, manifests)).encode())
    ended = _completion(draft, written)
    run.backend.update(place.completion, lambda _: to_yaml(ended))
    _create(draft, "manifest.yml", to_yaml(_manifest(draft)))
    rows = {name: count for name, count in written.frames.rows.items() if name != "specs"}
    return Release(
        run.experiment_id,
        str(run.versioned_experiment.version),
        run.uri,
        True,
        written.frames.rows["specs"],
        rows["scalars"],
        written.missing,
        rows,
    )


def _write_frames(draft: _Draft, folder: Path) -> _Written:
    study, store, run = draft.study, draft.store, draft.run
    cells = sum(content.cells for content in draft.contents.values())
    written = _Written(Frames(folder, run.experiment_id, draft.run_id, cells), [], set())
    frames, uris = written.frames, {}
    try:
        for partition in study.grade_partitions():
            part = partition_rows(study, store, partition)
            _require_unchanged(draft, "|".join(partition), part)
            _publish_logs(draft, part.rows, uris)
            frames.add(part, uris)
            written.results.append(_result(study, partition, part))
            written.missing += len(part.flaws)
            for column in ("gen_run_id", "grade_run_id"):
                written.run_ids |= set(part.rows[column].unique().to_pylist()) - {None}
        for generate in study.generate_partitions():
            frames.add_table(SOLUTIONS, store.read("solutions", [generate]))
        frames.add_table(LEDGER, ledger.united(store))
    finally:
        frames.close()
    if not frames.rows.get("scalars"):
        raise StoreError(
            f"study {study.name} has no grading event of its design; run it, then release it"
        )
    return written


def _require_unchanged(draft: _Draft, name: str, part: PartitionRows) -> None:
    if content_of(part) != draft.contents[name]:
        raise StoreError(
            f"partition {name} changed while it was released: a run is writing it. "
            "Nothing was published; release again when no run is in progress"
        )


def _publish_logs(draft: _Draft, rows: pa.Table, uris: dict[str, str]) -> None:
    """Copy the logs that the rows name, each once; `uris` learns where they are."""
    backend = draft.run.backend
    for field, column in LOG_COLUMNS.items():
        for key in rows[column].unique().to_pylist():
            if key is None or key in uris:
                continue
            log = Path(key)
            place = draft.run.place.result_file(field, log.stem, log.suffix)
            backend.upload(draft.store.backend.local_copy(key), place)
            uris[key] = backend.uri(place)
            draft.say(f"published log {len(uris)}: {log.name}")


def _result(study: Study, partition: tuple[str, ...], part: PartitionRows) -> ConditionResult:
    generate = study.design.generate_by_id()[partition[0]]
    grade = study.design.grade_by_id()[partition[1]]
    scores, events = part.rows["score"], part.rows.num_rows
    scored = events - scores.null_count
    failures = events - part.rows["parse_error"].null_count
    return ConditionResult(
        generate.label,
        grade.label,
        events,
        scored,
        float(np.mean(scores.drop_null().to_numpy())) if scored else None,
        failures,
        events - scored - failures,
    )


def _write_inputs(draft: _Draft) -> InputArtifacts:
    """Publish the study file and its templates; where they are."""
    backend, place = draft.run.backend, draft.run.place
    found: dict[str, list[str]] = {}
    for kind, texts in input_files(draft.study).items():
        for name, data in texts.items():
            key = place.artifact(kind, name)
            backend.update(key, lambda _, data=data: data)
            found.setdefault(kind, []).append(backend.uri(key))
    return InputArtifacts(files=found)


def _record(draft: _Draft) -> bytes:
    document = {
        "study": draft.study.name,
        "config_sha256": draft.study.config_sha256,
        "partitions": {name: found._asdict() for name, found in draft.contents.items()},
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _facts(draft: _Draft, written: _Written, manifests: Sequence[Mapping[str, Any]]) -> CardFacts:
    store = draft.store
    datasets = store.read("items", columns=["dataset_id"])["dataset_id"].value_counts().to_pylist()
    return CardFacts(
        version=str(draft.run.versioned_experiment.version),
        experiment_id=draft.run.experiment_id,
        released_at=now(),
        config=draft.study.config,
        config_sha256=draft.study.config_sha256,
        cells=written.frames.rows["specs"],
        missing=written.missing,
        items={found["values"]: found["counts"] for found in datasets},
        results=written.results,
        spend=spend_by_model(store.read("log_index").to_pylist()),
        manifests=manifests,
        frames={name: rows for name, rows in written.frames.rows.items() if name != "specs"},
        package_version=version_of(PACKAGE),
    )


def _completion(draft: _Draft, written: _Written) -> Completion:
    return Completion.of(written.frames.rows["specs"] - written.missing, written.missing)


def _manifest(draft: _Draft) -> ExperimentRunManifest:
    run, uri = draft.run, draft.run.backend.uri
    return ExperimentRunManifest(
        workflow_run_id=draft.run_id,
        experiment_id=run.experiment_id,
        experiment_name=draft.study.name,
        specs_uri=uri(run.place.specs),
        io_spec=uri(run.place.io_spec),
        input_artifacts=uri(run.place.input_artifacts),
    )


def _create(draft: _Draft, name: str, data: bytes) -> None:
    key = f"{draft.run.prefix}/{name}"
    if not draft.run.backend.create(key, data):
        raise StoreError(f"{draft.run.backend.uri(key)} is there already; it stays as it is")
