"""Commands of one or two Dagster runs, over a whole study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.budget import require_sane_consent
from itemeval_assets.core.money.preflight import ModelHealth
from itemeval_assets.core.money.spend import spend_by_model
from itemeval_assets.stages.calls.losses import require_no_loss
from itemeval_assets.stages.export import ExportResult, require_results
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .launcher import Launcher

__all__ = ["ReleaseSummary", "exported", "run_export", "run_preflight", "run_release"]


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
    return [
        _health(record.data)
        for record in launch.recorded["preflight"]["models"].records  # type: ignore[attr-defined]
    ]


def _health(record: Mapping[str, Any]) -> ModelHealth:
    """What the preflight recorded of a model: a figure that is not known is an empty text."""
    seen, usd = (float(record[name]) if record[name] else None for name in ("latency_s", "usd"))
    return ModelHealth(record["model"], record["verdict"], record["reason"], seen, usd)


def run_export(study: Study, for_spreadsheets: bool) -> ExportResult:
    """Materialize the ledger and the export, and say what was written."""
    store = open_store(study)
    store.require_layout()
    require_results(study, store)
    require_no_loss(study, store)
    with Launcher.open(study) as launch:
        launch(["ledger"])
        launch(["export"], config={"for_spreadsheets": for_spreadsheets})
    return exported(launch, store)


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
    found = {name: value.value for name, value in launch.recorded["release"].items()}
    return ReleaseSummary(
        study=study.name,
        experiment_id=found["experiment_id"],
        version=found["version"],
        uri=found["published"],
        bucket=found["bucket"],
        is_new=found["is new"],
        cells=found["cells"],
        events=found["events"],
        missing=found["cells without a sound event"],
    )


def exported(launch: Launcher, store: ResultsStore) -> ExportResult:
    """What the last run wrote into export/, from what it recorded."""
    found = {name: value.value for name, value in launch.recorded["export"].items()}
    unpriced = found["models without price"]
    return ExportResult(
        rows=found["dagster/row_count"],
        usd=found["usd"],
        unpriced=() if unpriced == "none" else tuple(unpriced.split(", ")),
        paths={name: path for name, path in found.items() if name.startswith("export/")},
        spend=spend_by_model(store.read("log_index")),
    )
