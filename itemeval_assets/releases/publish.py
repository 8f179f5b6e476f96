"""Publishes a study: the frames, the logs, the evidence and the card; the manifest last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.study_card import study_card
from itemeval_assets.experiments import (
    BaseExperiment,
    Completion,
    ExperimentRun,
    ExperimentStorageSettings,
)
from itemeval_assets.experiments.layout.records import InputArtifacts, to_yaml
from itemeval_assets.experiments.layout.settings import storage_settings
from itemeval_assets.experiments.publish.publishing import reserve, withdraw
from itemeval_assets.stages.export import require_sound
from itemeval_assets.storage.study.store import ResultsStore

from .content import contents_of, count_cells
from .documents import (
    card_facts,
    input_files,
    json_bytes,
    manifests_of,
    release_manifest,
    release_schema,
)
from .results import Draft, Say, publish_results
from .versions import RECORD, asked_version, needed_bump, record_of

__all__ = ["Release", "publish_release", "storage_for"]

CARD = "STUDY_CARD.md"


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
    wanted = asked_version(version) or needed_bump(experiment, study, store, contents)
    if wanted is None:
        return _as_it_is(experiment.latest_run)
    begun = to_yaml(Completion(specs=count_cells(contents)))
    run = reserve(experiment, wanted, lambda run: (run.place.completion, begun))
    say(f"publishing {run.uri}")
    try:
        return _write(Draft(study, store, contents, run, run_id, say))
    except BaseException as error:
        withdraw(run, error)
        raise


def storage_for(study: Study) -> ExperimentStorageSettings:
    """Where releases of a study go: the environment's bucket, or `experiments/` beside its YAML."""
    settings = storage_settings()
    if "BUCKET" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"BUCKET": str(study.config_dir / "experiments")})


def _as_it_is(run: ExperimentRun[Any, Any]) -> Release:
    known = run.status()
    return Release(
        run.experiment_id,
        str(run.versioned_experiment.version),
        run.uri,
        is_new=False,
        cells=known.specs or 0,
        events=known.succeeded or 0,
        missing=known.failed or 0,
    )


def _write(draft: Draft) -> Release:
    run, place = draft.run, draft.run.place
    written = publish_results(draft)
    manifests = manifests_of(draft.store, written.run_ids)
    for manifest in manifests:
        _create(run, f"{run.prefix}/manifests/{manifest['run_id']}.json", json_bytes(manifest))
    _create(run, place.io_spec, to_yaml(release_schema()))
    _create(run, place.input_artifacts, to_yaml(_publish_inputs(draft)))
    _create(run, f"{run.prefix}/{RECORD}", json_bytes(record_of(draft.study, draft.contents)))
    card = study_card(card_facts(draft, written, manifests))
    _create(run, f"{run.prefix}/{CARD}", card.encode())
    ended = Completion.of(written.cells - written.missing, written.missing)
    run.backend.update(place.completion, lambda _: to_yaml(ended))
    _create(run, place.manifest, to_yaml(release_manifest(draft)))
    return Release(
        run.experiment_id,
        str(run.versioned_experiment.version),
        run.uri,
        is_new=True,
        cells=written.cells,
        events=written.rows["scalars"],
        missing=written.missing,
        rows=written.rows,
    )


def _publish_inputs(draft: Draft) -> InputArtifacts:
    """Publish the study file and its templates; where they are."""
    backend, place = draft.run.backend, draft.run.place
    found: dict[str, list[str]] = {}
    for kind, texts in input_files(draft.study).items():
        for name, data in texts.items():
            key = place.artifact(kind, name)
            backend.update(key, lambda _, data=data: data)
            found.setdefault(kind, []).append(backend.uri(key))
    return InputArtifacts(files=found)


def _create(run: ExperimentRun[Any, Any], key: str, data: bytes) -> None:
    if not run.backend.create(key, data):
        raise StoreError(f"{run.backend.uri(key)} is there already; it stays as it is")
