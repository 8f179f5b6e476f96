"""The cells of a study, for its figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words, select_grade
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.study.inputs import load_study

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.planned import PlannedCells

__all__ = ["as_study", "graded_cells", "graders_of", "planned_cells"]


def planned_cells(config: str | Path | Study, policy: str | None) -> "PlannedCells":
    from itemeval_assets.stages.figures.planned import PlannedCells
    from itemeval_assets.stages.items import known
    from itemeval_assets.storage.study.store import open_store

    study = as_study(config)
    store = open_store(study)
    store.require_layout()
    return PlannedCells(study, store, known(study, store), policy)


def graded_cells(config: str | Path | Study, policy: str | None) -> "PlannedCells":
    """Raise StoreError where nothing is graded: there is nothing to estimate."""
    planned = planned_cells(config, policy)
    if not planned.is_graded:
        raise StoreError(f"study {planned.study.name}: {planned.not_graded}")
    return planned


def graders_of(planned: "PlannedCells", graders: Words, rubrics: Words) -> list[str]:
    return select_grade(planned.study.design, graders, rubrics)


def as_study(config: str | Path | Study) -> Study:
    return config if isinstance(config, Study) else load_study(config)
