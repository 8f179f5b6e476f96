"""Comparisons of two, of all pairs, and of releases."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graded_cells, graders_of, notes_of, planned_cells

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.comparisons.named import Facet
    from itemeval_assets.stages.figures.comparisons.records import StudyComparisons

__all__ = ["compare", "compare_releases", "comparisons"]


@checked_as(ConfigError)
def compare(
    config: str | Path | Study,
    a: str,
    b: str,
    *,
    by: str | None = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """Is a better than b on the items that both have scores of? By each grader that is chosen.

    `a` and `b` are two conditions, models, prompts, configs or graders: labels, slugs, ids, names,
    or what these start with. `by`: does the difference depend on this item column?
    """
    from itemeval_assets.stages.figures.comparisons.pair import compare as compared

    planned = graded_cells(config, policy)
    found = compared(planned, a, b, graders_of(planned, graders, rubrics), by)
    return replace(found, notes=notes_of(planned))


@checked_as(ConfigError)
def compare_releases(
    config: str | Path | Study,
    before: str,
    after: str | None = None,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """Is one release of the study better than another, on the items that both have scores of?

    Each condition of `before` less the same of `after`; null: less that of the study as it stands.
    A release is a version such as v1.0.0, or `v1.0.0/2025-07-23_12-59-51`. Conditions are matched
    by the names of models, prompts, configs, graders and rubrics; what else changed is said.
    """
    from itemeval_assets.releases import compare as releases
    from itemeval_assets.releases.publish import storage_for

    planned = planned_cells(config, policy)
    any_grader = graders is None and rubrics is None
    chosen = None if any_grader else graders_of(planned, graders, rubrics)
    storage = storage_for(planned.study)
    found = releases.compare_releases(planned, storage, before, after, chosen)
    return replace(found, notes=notes_of(planned)) if after is None else found


@checked_as(ConfigError)
def comparisons(
    config: str | Path | Study,
    *,
    facet: "Facet" = "condition",
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """All pairs of the levels of a facet, as one family for each grader.

    `facet`: condition, model, prompt, config or grader.
    """
    from itemeval_assets.stages.figures.comparisons.comparisons import comparisons as compared
    from itemeval_assets.stages.figures.comparisons.records import COLUMNS

    if facet not in list(COLUMNS):
        raise ConfigError(f"there is no facet {facet!r}; there are: {', '.join(COLUMNS)}")
    planned = graded_cells(config, policy)
    found = compared(planned, graders_of(planned, graders, rubrics), facet)
    return replace(found, notes=notes_of(planned))
