"""Commands of one or two Dagster runs, over a whole study."""

from dataclasses import dataclass

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.budget import require_sane_consent
from itemeval_assets.core.money.preflight import ModelHealth
from itemeval_assets.releases import Release
from itemeval_assets.stages.calls.losses import require_no_loss
from itemeval_assets.stages.export import ExportResult, require_results
from itemeval_assets.storage.study.store import open_store

from .launcher import Launcher

__all__ = ["ReleaseSummary", "run_export", "run_preflight", "run_release"]


@dataclass(frozen=True)
class ReleaseSummary:
    """What was released. `is_new` is false where nothing had changed since that release.

    `missing` counts cells of the design without a sound grading event.
    """

    study: str
    experiment_id: str
    version: str
    uri: str
    bucket: str
    is_new: bool
    cells: int
    events: int
    missing: int


def run_preflight(study: Study, consent_usd: float | None) -> list[ModelHealth]:
    """Materialize the preflight, and say what it found of each model."""
    require_sane_consent(consent_usd, study.config.budget)
    with Launcher.open(study) as launch:
        launch(["preflight"], config={"consent_usd": consent_usd})
    return launch.results["preflight"]


def run_export(study: Study, for_spreadsheets: bool) -> ExportResult:
    """Materialize the ledger and the export, and say what was written."""
    store = open_store(study)
    store.require_layout()
    require_results(study, store)
    require_no_loss(study, store)
    with Launcher.open(study) as launch:
        launch(["ledger"])
        launch(["export"], config={"for_spreadsheets": for_spreadsheets})
    return launch.results["export"]


def run_release(study: Study, version: str | None) -> ReleaseSummary:
    """Materialize the ledger and the release, and say what was published."""
    store = open_store(study)
    store.require_layout()
    if not store.has_results():
        raise StoreError(f"study {study.name} has no results yet; run it, then release it")
    require_no_loss(study, store)
    with Launcher.open(study) as launch:
        launch(["ledger"])
        launch(["release"], config={"version": version})
    found: Release = launch.results["release"]
    return ReleaseSummary(
        study=study.name,
        experiment_id=found.experiment_id,
        version=found.version,
        uri=found.uri,
        bucket=found.bucket,
        is_new=found.is_new,
        cells=found.cells,
        events=found.events,
        missing=found.missing,
    )
