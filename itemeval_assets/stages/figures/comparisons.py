"""comparisons: is one better than another, on the items that both answered?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions import GradeCondition
from itemeval_assets.measurement import (
    Difference,
    Interaction,
    MeasurementError,
    compare_all,
    interaction,
)
from itemeval_assets.measurement import compare as compared

from .agreed import each_once, incomparable
from .named import Facet, meant
from .planned import PlannedCells, require_measurable
from .remarks import bounded, words_of, words_of_levels

__all__ = ["Compared", "Facet", "StudyComparisons", "compare", "comparisons", "told"]

_MOST_OBJECTS = 100
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


def comparisons(
    planned: PlannedCells,
    graders: Collection[str],
    facet: Facet = "condition",
) -> StudyComparisons:
    """All pairs of the levels of a facet, as one family for each grader."""
    chosen = _chosen(planned, graders)
    if facet == "grader":
        families = [_graders(planned, chosen)]
    else:
        families = [_family(planned, planned.of_grader(grader), grader, facet) for grader in chosen]
    return told(planned, facet, families)


def compare(
    planned: PlannedCells, a: str, b: str, graders: Collection[str], by: str | None = None
) -> StudyComparisons:
    """Two levels of one facet, by each grader; `by`: does it depend on this item column?

    Raises ConfigError where no facet has both, and MeasurementError where no grader allows it.
    """
    facet, first, other, taken = meant(planned.study.design, a, b)
    tags = [planned.require_column(by, "by")] if by else []
    chosen = _chosen(planned, graders)
    if facet == "grader":
        both = [one for one in planned.study.design.grade if one.label in (first, other)]
        if why := incomparable(both, "compare"):
            raise MeasurementError(why)
        cells = planned.of_graders(both, tags=tags)
        pair = _pair(planned, cells, both[0], facet, first, other, by)
        return told(planned, facet, [replace(pair, words=[*taken, *pair.words])])
    found = [
        _pair(planned, planned.of_grader(grader, tags=tags), grader, facet, first, other, by)
        for grader in chosen
    ]
    if not any(one.differences for one in found):
        raise MeasurementError(found[0].words[0])
    return told(planned, facet, [replace(one, words=[*taken, *one.words]) for one in found])


def _chosen(planned: PlannedCells, graders: Collection[str]) -> list[GradeCondition]:
    return [one for one in planned.study.design.grade if one.id in graders]


def told(planned: PlannedCells, facet: Facet, found: list[Compared]) -> StudyComparisons:
    """The families, and what they have in common."""
    return StudyComparisons(
        study=planned.study.name,
        policy=planned.policy_name,
        facet=facet,
        level=planned.level,
        cluster=planned.cluster,
        margin=planned.study.config.measurement.margin,
        by_grader=found,
    )


def _pair(
    planned: PlannedCells,
    cells: pa.Table,
    grader: GradeCondition,
    facet: Facet,
    a: str,
    b: str,
    by: str | None,
) -> Compared:
    label, scale = _of(grader, facet)
    known = {"cluster": planned.cluster, "scale": scale, "level": planned.level}
    column = COLUMNS[facet]
    try:
        require_measurable(cells)
        difference = compared(cells, a, b, object=column, **known)
    except MeasurementError as error:
        return Compared(graded_by=label, scale=scale, words=[str(error)])
    words, depends = [*words_of(planned, [difference], scale)], None
    if by:
        try:
            found = interaction(cells, a, b, by=by, object=column, **known)
            depends = replace(found, levels={n: bounded(one) for n, one in found.levels.items()})
            words += [depends.verdict, *words_of_levels(depends)]
        except MeasurementError as error:
            words.append(str(error).strip())
    return Compared(
        graded_by=label,
        scale=scale,
        differences=[bounded(difference)],
        interaction=depends,
        words=words,
    )


def _graders(planned: PlannedCells, chosen: Sequence[GradeCondition]) -> Compared:
    """All pairs of graders whose scores mean the same; a judge counts once."""
    once = each_once(chosen)
    if why := incomparable(once, "compare"):
        return Compared(graded_by=None, scale=None, words=[why])
    return _family(planned, planned.of_graders(once), once[0], "grader")


def _family(
    planned: PlannedCells, cells: pa.Table, grader: GradeCondition, facet: Facet
) -> Compared:
    label, scale = _of(grader, facet)
    try:
        require_measurable(cells)
        _require_few(cells, facet)
        found = compare_all(
            cells,
            object=COLUMNS[facet],
            cluster=planned.cluster,
            scale=scale,
            level=planned.level,
        )
    except MeasurementError as error:
        return Compared(graded_by=label, scale=scale, words=[str(error)])
    return Compared(
        graded_by=label,
        scale=scale,
        differences=[bounded(one) for one in found],
        groups=[[str(one) for one in group] for group in found.groups],
        letters={str(name): letters for name, letters in found.letters.items()},
        left_out=[(str(a), str(b), why) for a, b, why in found.left_out],
        words=[*found.warnings, *words_of(planned, found, scale)],
    )


def _require_few(cells: pa.Table, facet: Facet) -> None:
    """Nobody reads the pairs of a thousand conditions, and Holm would call none of them."""
    n = pc.count_distinct(cells[COLUMNS[facet]]).as_py()  # type: ignore[attr-defined]
    if n > _MOST_OBJECTS:
        raise MeasurementError(
            f"{n:,} {facet}s have {n * (n - 1) // 2:,} pairs: all pairs are for up to"
            f" {_MOST_OBJECTS}. Name two, or compare another facet: --of model."
        )


def _of(grader: GradeCondition, facet: Facet) -> tuple[str | None, tuple[float, float] | None]:
    """By which grader, and its scale; where graders are compared, the scale of all."""
    return None if facet == "grader" else grader.label, grader.grader.scale
