"""The scores of conditions."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.partitions import GRADE
from itemeval_assets.core.design.selection import Words, select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graders_of, notes_of, planned_cells

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.scores.estimates import Rate
    from itemeval_assets.stages.figures.scores.records import StudyScores

__all__ = ["scores"]


@checked_as(ConfigError)
def scores(
    config: str | Path | Study,
    *,
    by: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
    pass_at: int | None = None,
    majority_at: int | None = None,
    passes: float | None = None,
    panel: bool = False,
) -> "StudyScores":
    """The mean score of each generate x grade condition, with its interval and what it leaves out.

    `by` splits each by a metadata column of the items, or by dataset_id. Conditions are selected as
    in `run`. `pass_at`, `majority_at`: the share of items that one, or most, of so many
    replications pass, with a score of `passes` or more, by default the end of the grader's scale.
    `panel`: the mean over the judges of each rubric.
    """
    from itemeval_assets.stages.figures.scores.estimates import MEAN, rate
    from itemeval_assets.stages.figures.scores.panels import panels
    from itemeval_assets.stages.figures.scores.scores import scores as estimated

    asked = _one_rate(pass_at, majority_at, passes, panel=panel)
    planned = planned_cells(config, policy)
    selected = select(planned.study.design, None, conditions, graders, rubrics).of(GRADE)
    if panel:
        judges = graders_of(planned, graders, rubrics)
        found = panels(planned, [part for part in selected if part.grade in judges], by)
    else:
        figure = rate(planned, *asked, passes) if asked else MEAN
        found = estimated(planned, selected, by, figure)
    return replace(found, words=[*notes_of(planned), *found.words])


def _one_rate(
    pass_at: int | None, majority_at: int | None, passes: float | None, *, panel: bool
) -> "tuple[Rate, int] | None":
    """The rate that is asked for. Raises ConfigError where several figures are."""
    rates: list[tuple[Rate, int]] = []
    if pass_at is not None:
        rates.append(("pass", pass_at))
    if majority_at is not None:
        rates.append(("majority", majority_at))
    if len(rates) + panel > 1:
        raise ConfigError(
            "pass@k, majority@k and the panel mean are figures by themselves: choose one"
        )
    if passes is not None and not rates:
        raise ConfigError("passes says which scores pass: it goes with pass@k or majority@k")
    return rates[0] if rates else None
