"""The models of a study, drawn again from its roster as that is now."""

from dataclasses import dataclass
from pathlib import Path

from itemeval_assets.core.config.roster import words_on_change
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study, study_redrawn
from itemeval_assets.storage.study.inputs.model_lock import lock_roster
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import open_store


@dataclass(frozen=True)
class Redrawn:
    """What drawing again came to. `came` and `gone`: models of the study, not of the roster.

    `roster`: how the roster changed, in words. `lock`: the file that has it now; null: none was
    written.
    """

    study: str
    models: list[str]
    came: list[str]
    gone: list[str]
    words: str
    roster: str | None
    lock: str | None


def redrawn(path: str | Path, *, keep: bool) -> Redrawn:
    """Draw from the roster of today, and lock it where it is to be kept.

    Raises ConfigError, and StoreError where it is to be kept while a run is at work.
    """
    now = study_redrawn(path)
    roster = now.snapshot.roster
    assert roster is not None
    if keep:
        _require_no_run(now)
    try:
        before = load_study(path)
    except ConfigError:  # a damaged lock is replaced; what today's files lack is told above
        before = now
    then = before.snapshot.roster
    return Redrawn(
        study=now.name,
        models=now.models,
        came=[model for model in now.models if model not in before.models],
        gone=[model for model in before.models if model not in now.models],
        words=now.model_sample or "",
        roster=words_on_change(then.models if then else (), roster.models),
        lock=str(lock_roster(now, roster)) if keep else None,
    )


def _require_no_run(study: Study) -> None:
    if Reservations(open_store(study, look=True)).amounts():
        raise StoreError(f"{study.name}: a run is at work: redraw before it, or after it has ended")
