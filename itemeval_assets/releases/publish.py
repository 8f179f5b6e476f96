"""Publishes a study: the frames, the logs, the evidence and the card; the manifest last."""

from collections.abc import Mapping

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.records.published.releases import Release
from itemeval_assets.experiments import (
    BaseExperiment,
    Completion,
    ExperimentRun,
    ExperimentStorageSettings,
)
from itemeval_assets.experiments.layout.records import to_yaml
from itemeval_assets.experiments.layout.settings import storage_settings
from itemeval_assets.experiments.outputs.survey import SCALARS
from itemeval_assets.experiments.publish.publication import (
    complete,
    create,
    describe,
    publication,
)
from itemeval_assets.report.card import study_card
from itemeval_assets.stages.export import require_sound
from itemeval_assets.storage.study.manifests import manifests_of
from itemeval_assets.storage.study.store import ResultsStore

from .content import contents_of, count_cells
from .documents import card_facts, input_files, json_bytes, release_schema
from .results import Draft, Say, Written, publish_results
from .versions import RECORD, asked_version, needed_bump, record_of

_CARD = "README.md"


def publish_release(
    study: Study,
    store: ResultsStore,
    storage_settings: ExperimentStorageSettings,
    *,
    run_id: str,
    version: str | None = None,
    say: Say = lambda text: None,
) -> tuple[Release, Mapping[str, int]]:
    """Publish the stored results of a study's design as a new version of its experiment.

    With the release, the rows of each frame that was written.
    `version`: a bump (bumpmajor, bumpminor, bumppatch), or a version itself; null chooses the bump
    by what changed, and publishes nothing where nothing did. Raises StoreError, and publishes
    nothing, when the tables break a rule or hold no grading event.
    """
    require_sound(study, store)
    experiment = BaseExperiment(study.name, storage_settings=storage_settings)
    contents = contents_of(study, store)
    wanted = asked_version(version) or needed_bump(experiment, study, store, contents)
    if wanted is None:
        run = experiment.latest_run
        known = run.status()
        counts = known.specs or 0, known.succeeded or 0, known.failed or 0
        return _release(study, run, False, *counts), {}
    begun = to_yaml(Completion(specs=count_cells(contents)))
    with publication(
        experiment,
        wanted,
        lambda run: (run.place.completion, begun),
        workflow_run_id=run_id,
        experiment_name=study.name,
    ) as run:
        say(f"publishing {run.uri}")
        written = _write(Draft(study, store, contents, run, run_id, say))
    counts = written.cells, written.rows[SCALARS], written.missing
    return _release(study, run, True, *counts), written.rows


def storage_for(study: Study) -> ExperimentStorageSettings:
    """Where releases of a study go: the environment's bucket, or `experiments/` beside its YAML."""
    settings = storage_settings()
    if "BUCKET" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"BUCKET": str(study.config_dir / "experiments")})


def _release(
    study: Study, run: ExperimentRun, is_new: bool, cells: int, events: int, missing: int
) -> Release:
    version = run.versioned_experiment
    bucket = version.base_experiment.storage_settings.location
    return Release(
        study=study.name,
        experiment_id=run.experiment_id,
        version=str(version.version),
        uri=run.uri,
        bucket=bucket,
        is_new=is_new,
        cells=cells,
        events=events,
        missing=missing,
    )


def _write(draft: Draft) -> Written:
    run = draft.run
    written = publish_results(draft)
    manifests = manifests_of(draft.store, written.run_ids)
    for manifest in manifests:
        create(run, f"{run.prefix}/manifests/{manifest['run_id']}.json", json_bytes(manifest))
    describe(run, release_schema(), input_files(draft.study, draft.store))
    create(run, f"{run.prefix}/{RECORD}", json_bytes(record_of(draft.study, draft.contents)))
    card = study_card(card_facts(draft, written, manifests))
    create(run, f"{run.prefix}/{_CARD}", card.encode())
    complete(run, Completion.of(written.cells - written.missing, written.missing))
    return written
