"""The preflight: what keeps it from its calls is known before anything is written."""

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ModelError
from itemeval_assets.core.money.budget import require_sane_consent
from itemeval_assets.core.money.preflight import ModelHealth
from itemeval_assets.engine.scorers.process import require_loadable
from itemeval_assets.engine.tasks.loaded.sandboxes import why_no_sandbox
from itemeval_assets.stages.calls.preflight import require_allowed
from itemeval_assets.stages.items import are_stored
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.inputs.task_lock import keep_task
from itemeval_assets.storage.study.store import open_store

from .launching.launcher import Launcher


def run_preflight(study: Study, consent_usd: float | None) -> list[ModelHealth]:
    """Materialize the preflight, and say what it found of each model."""
    require_sane_consent(consent_usd, study.config.budget)
    require_loadable(study.design.programs)
    _require_sandbox(study)
    store = open_store(study)
    if not are_stored(store):
        # A first command that is refused leaves nothing on the disk.
        require_allowed(study, store, load_prices(study), consent_usd)
    keep_task(study)
    with Launcher.open(study) as launch:
        launch(["preflight"], config={"consent_usd": consent_usd})
    return launch.results["preflight"]


def _require_sandbox(study: Study) -> None:
    """Raise ModelError where this machine lacks the sandbox of the task."""
    task = study.snapshot.task
    if why := why_no_sandbox(task.sandbox, task.task) if task else None:
        raise ModelError(why)
