"""Commands of one or two Dagster runs, over a whole study."""

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.published.releases import Release
from itemeval_assets.stages.calls.recovery.losses import require_no_loss
from itemeval_assets.stages.export import ExportResult, require_results
from itemeval_assets.storage.study.store import open_store

from .launching.joining import join_what_is_behind
from .launching.launcher import Launcher
from .settled import remember, sources, valid_note


def run_export(study: Study, for_spreadsheets: bool) -> ExportResult:
    """Materialize the ledger and the export, and say what was written."""
    store = open_store(study)
    store.require_layout()
    require_results(study, store)
    require_no_loss(study, store)
    before = store.stats()
    note = valid_note(study, store, before)
    with Launcher.open(study) as launch:
        join_what_is_behind(study, store, launch)
        launch(["ledger"])
        launch(["export"], config={"for_spreadsheets": for_spreadsheets})
    if note is not None:
        # A run that has nothing to do has nothing to do after an export, either.
        export = launch.results["export"]
        remember(study, store, sources(before), export, note.scores, note, launch.run_ids[-1])
    return launch.results["export"]


def run_release(study: Study, version: str | None) -> Release:
    """Materialize the ledger and the release, and say what was published."""
    store = open_store(study)
    store.require_layout()
    if not store.has_results():
        raise StoreError(f"study {study.name} has no results yet; run it, then release it")
    require_no_loss(study, store)
    with Launcher.open(study) as launch:
        join_what_is_behind(study, store, launch)
        launch(["ledger"])
        launch(["release"], config={"version": version})
    return launch.results["release"]
