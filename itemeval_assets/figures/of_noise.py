"""Where the noise of scores comes from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graded_cells, graders_of, notes_of

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.reliability import StudyReliability

__all__ = ["reliability"]


@checked_as(ConfigError)
def reliability(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    crossed: bool = False,
    random: Sequence[str] = (),
    policy: str | None = None,
) -> "StudyReliability":
    """Variance components of the scores, and what other numbers of items and replications reach.

    Of each grader by itself; `crossed`: of all that are chosen, as a facet. Among others, a judge
    counts once, by the first of its chosen repeats; of one judge alone, its repeats are crossed.
    Items and replications are random; prompt, config and grader are fixed unless `random` names
    them.
    """
    from itemeval_assets.stages.figures.reliability import reliability as estimated

    planned = graded_cells(config, policy)
    chosen = graders_of(planned, graders, rubrics)
    found = estimated(planned, chosen, crossed=crossed, random=random)
    return replace(found, notes=notes_of(planned))
