"""Items: their statistics, response models, and the answers to one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.partitions import GRADE
from itemeval_assets.core.design.selection import Words, listed, select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graded_cells, graders_of, notes_of, planned_cells

if TYPE_CHECKING:
    import pandas as pd

    from itemeval_assets.core.design.conditions.conditions import GradeCondition
    from itemeval_assets.stages.figures.items.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.items.item_statistics import StudyItems
    from itemeval_assets.stages.figures.items.matrix import Persons, ResponseMatrix
    from itemeval_assets.stages.figures.items.response import Model, StudyResponses
    from itemeval_assets.stages.figures.planned import PlannedCells

__all__ = ["irt", "item_answers", "items", "response_matrix", "response_table"]


@checked_as(ConfigError)
def items(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyItems":
    """Difficulty, discrimination, flips and quarrels of each item; which are odd, and why."""
    from itemeval_assets.stages.figures.items.item_statistics import item_statistics as estimated

    planned = graded_cells(config, policy)
    found = estimated(planned, graders_of(planned, graders, rubrics))
    return replace(found, notes=notes_of(planned))


@checked_as(ConfigError)
def irt(
    config: str | Path | Study,
    *,
    model: "Model" = "2pl",
    passes: float | None = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyResponses":
    """Item response theory: the difficulty of items and the ability of conditions on one scale.

    `model`: 1pl or 2pl, by the scores of each grader. A score of `passes` or more is right, by
    default the end of the grader's scale. Needs the extra `irt`, and 30 conditions or more.
    """
    from itemeval_assets.stages.figures.items.response import irt as estimated

    planned = graded_cells(config, policy)
    found = estimated(planned, graders_of(planned, graders, rubrics), model, passes)
    return replace(found, notes=notes_of(planned))


@checked_as(ConfigError)
def response_matrix(
    config: str | Path | Study,
    grader: str | None = None,
    *,
    persons: "Persons" = "conditions",
    states: bool = False,
    passes: float | None = None,
    policy: str | None = None,
) -> "pd.DataFrame":
    """Persons x items: the scores of one grader, NaN where there is none, as `irt` starts from.

    `grader` may be left out where there is only one. Persons are conditions, of whose replications
    the first with a score counts, or `persons="replications"`: each replication of a condition.
    `passes` makes 1 of scores of so much or more, and 0 of others. Persons and items without any
    score are left out. `states` gives the state of each cell instead, of all persons and items:
    done, or why there is no score. Raises ConfigError where `grader` means none, or several.
    """
    from itemeval_assets.stages.figures.items.matrix import matrix_of, states_of

    planned = graded_cells(config, policy)
    chosen = _only_grader(planned, grader)
    _require_scores_for(passes, states)
    if states:
        return states_of(planned, chosen, persons)
    return matrix_of(planned, chosen, passes, persons)


@checked_as(ConfigError)
def response_table(
    config: str | Path | Study,
    grader: str | None = None,
    *,
    persons: "Persons" = "conditions",
    states: bool = False,
    passes: float | None = None,
    policy: str | None = None,
) -> "ResponseMatrix":
    """The response matrix as records, with what it leaves out."""
    from itemeval_assets.stages.figures.items.matrix import response_table as found

    planned = graded_cells(config, policy)
    chosen = _only_grader(planned, grader)
    _require_scores_for(passes, states)
    table = found(planned, chosen, passes, persons, shows_states=states)
    return replace(table, notes=notes_of(planned))


def _require_scores_for(passes: float | None, states: bool) -> None:
    if states and passes is not None:
        raise ConfigError("passes: states are no scores; leave `passes` or `states` out")


def _only_grader(planned: "PlannedCells", grader: str | None) -> "GradeCondition":
    """The one that is meant. Raises ConfigError, which names them, where it may be several."""
    design, chosen = planned.study.design, graders_of(planned, grader, None)
    if len(chosen) > 1:
        labels = ", ".join(design.labels[one] for one in chosen)
        said = "there are several" if grader is None else f"{grader!r} means several"
        raise ConfigError(f"grader: {said}, each with a scale of its own; name one of: {labels}")
    return design.grade_by_id[chosen[0]]


@checked_as(ConfigError)
def item_answers(
    config: str | Path | Study,
    items: str | Sequence[str],
    *,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "list[ItemAnswers]":
    """What stands behind the figures of these items: question, answers, scores, and their logs."""
    from itemeval_assets.stages.figures.items.item_answers import item_answers as found

    planned = planned_cells(config, policy)
    selected = select(planned.study.design, None, conditions, graders, rubrics).of(GRADE)
    answers, notes = found(planned, listed("items", items), selected), notes_of(planned)
    return [replace(one, notes=notes) for one in answers]
