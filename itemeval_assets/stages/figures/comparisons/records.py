"""What comparisons of a study are, and what they have in common."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import Difference, Interaction

from ..graders import scale_in_words
from ..planned import PlannedCells
from .named import Facet

__all__ = ["COLUMNS", "Compared", "StudyComparisons", "chosen_of", "told", "told_by"]

# Of releases see the folder of that name.
COLUMNS: dict[Facet, str] = {
    "condition": "gen_condition_id",
    "model": "model",
    "prompt": "prompt_name",
    "config": "model_config_name",
    "grader": "grade_condition_id",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What one grader says of the objects: a family of pairs, or why there is none.

    `graded_by` is null where graders themselves are compared. `groups` are objects that cannot be
    told apart, and `letters` of an object name its groups. `left_out`: pairs that could not be
    compared, with the reason. `interaction`: whether the difference depends on an item column.
    """

    graded_by: str | None
    scale: tuple[float, float] | None
    differences: list[Difference] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    interaction: Interaction | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyComparisons:
    """Comparisons of the levels of one facet, by each grader: graders are never pooled."""

    study: str
    policy: str
    facet: Facet
    level: float
    cluster: str | None
    margin: float | None
    by_grader: list[Compared]
    notes: list[str] = field(default_factory=list)


def told(planned: PlannedCells, facet: Facet, found: list[Compared]) -> StudyComparisons:
    """The families, and what they have in common."""
    margin = planned.study.config.measurement.margin
    if margin is not None and len({one.scale for one in found}) > 1:
        graders = ", ".join(f"{one.graded_by} ({scale_in_words(one.scale)})" for one in found)
        said = (
            f"measurement.margin is {margin:g} by each of these graders, whose scales differ:"
            f" {graders}. Choose those of one scale with --grader."
        )
        found = [replace(one, words=[*one.words, said]) for one in found]
    found = [
        replace(one, words=[*one.words, *planned.about_mocks]) if one.differences else one
        for one in found
    ]
    return StudyComparisons(
        study=planned.study.name,
        policy=planned.policy_name,
        facet=facet,
        level=planned.level,
        cluster=planned.cluster,
        margin=margin,
        by_grader=found,
    )


def chosen_of(planned: PlannedCells, graders: Collection[str]) -> list[GradeCondition]:
    """The graders with these ids, in the order of the YAML."""
    return [one for one in planned.study.design.grade if one.id in graders]


def told_by(grader: GradeCondition, facet: Facet) -> tuple[str | None, tuple[float, float] | None]:
    """By which grader, and its scale; where graders are compared, the scale of all."""
    return None if facet == "grader" else grader.label, grader.grader.scale
