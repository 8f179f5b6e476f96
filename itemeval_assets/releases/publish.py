"""Publishes a study: the frames, the logs, the evidence and the card; the manifest last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.experiments import (
    BaseExperiment,
    Completion,
    ExperimentRun,
    ExperimentStorageSettings,
)
from itemeval_assets.experiments.layout.records import to_yaml
from itemeval_assets.experiments.layout.settings import storage_settings
from itemeval_assets.experiments.publish.publication import complete, publication
from itemeval_assets.report.card import study_card
from itemeval_assets.stages.export import require_sound
from itemeval_assets.storage.study.store import ResultsStore

from .content import contents_of, count_cells
from .documents import (
    card_facts,
    input_files,
    json_bytes,
    manifests_of,
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
    bucket: str
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
    with publication(
        experiment,
        wanted,
        lambda run: (run.place.completion, begun),
        workflow_run_id=run_id,
        experiment_name=study.name,
    ) as opened:
        say(f"publishing {opened.run.uri}")
        return _write(Draft(study, store, contents, opened, run_id, say))


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
        run.versioned_experiment.base_experiment.storage_settings.location,
        is_new=False,
        cells=known.specs or 0,
        events=known.succeeded or 0,
        missing=known.failed or 0,
    )


def _write(draft: Draft) -> Release:
    run, create = draft.run, draft.opened.create
    written = publish_results(draft)
    manifests = manifests_of(draft.store, written.run_ids)
    for manifest in manifests:
        create(f"{run.prefix}/manifests/{manifest['run_id']}.json", json_bytes(manifest))
    draft.opened.describe(release_schema(), input_files(draft.study))
    create(f"{run.prefix}/{RECORD}", json_bytes(record_of(draft.study, draft.contents)))
    create(f"{run.prefix}/{CARD}", study_card(card_facts(draft, written, manifests)).encode())
    complete(run, Completion.of(written.cells - written.missing, written.missing))
    return Release(
        run.experiment_id,
        str(run.versioned_experiment.version),
        run.uri,
        run.versioned_experiment.base_experiment.storage_settings.location,
        is_new=True,
        cells=written.cells,
        events=written.rows["scalars"],
        missing=written.missing,
        rows=written.rows,
    )
