"""What changed since a study was asked first."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import as_study, graded_cells, graders_of, notes_of

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.drift.records import StudyDrift

__all__ = ["drift"]


@checked_as(ConfigError)
def drift(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyDrift":
    """Did the models change since the study was asked first, or did its judges? By each grader.

    A model: the answers of a wave less the first ones. A judge: the same answers, graded again,
    less then. By a judge the two are told apart where a rejudge has the name of the wave.
    """
    from itemeval_assets.stages.figures.drift.drift import drift as estimated
    from itemeval_assets.stages.figures.drift.drift import require_later_times

    study = as_study(config)
    require_later_times(study)
    planned = graded_cells(study, policy)
    found = estimated(planned, graders_of(planned, graders, rubrics))
    return replace(found, notes=notes_of(planned))
