"""What is laid down before the calls: the models that are drawn, and the plan that is sealed."""

from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.study import Study

from .arguments import flag, opened_store, with_task

if TYPE_CHECKING:
    from itemeval_assets.core.records.published.seals import SealState
    from itemeval_assets.stages.views.redrawing import Redrawn


def redraw(config: str | Path | Study, *, dry_run: bool = False) -> "Redrawn":
    """Draw the models of a study from its roster as it is now, and lock that. No model is called.

    Conditions of models that are gone leave the design; their rows stay. `dry_run`: say what would
    change, and lock nothing. Raises StoreError while a run is at work.
    """
    from itemeval_assets.stages.views.redrawing import redrawn

    path = config.config_path if isinstance(config, Study) else config
    return redrawn(path, keep=not flag("dry_run", dry_run))


def seal(config: str | Path | Study) -> "SealState":
    """Write design, hypotheses and decision rule with their hash into the store, before the calls.

    The YAML has them in its section `seal`. A study that has not changed since its last seal gets
    no other; one that has keeps both. Loads the data, since their hash is sealed, too. Raises
    ConfigError without that section, and StoreError while a run is at work, or where answers of
    a killed run are in no table. No model is called.
    """
    from itemeval_assets.stages.views.seals import seal as seal_plan

    study = with_task(config)
    return seal_plan(study, opened_store(study))
