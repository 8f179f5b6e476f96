"""comparisons: all pairs of the levels of a facet, by each grader."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions import GradeCondition
from itemeval_assets.measurement import MeasurementError, compare_all

from ..graders import each_once, incomparable, of_one_scale
from ..planned import PlannedCells, require_scores
from .named import Facet
from .records import COLUMNS, Compared, StudyComparisons, chosen_of, told, told_by
from .remarks import bounded, words_of

__all__ = ["comparisons"]

_MOST_OBJECTS = 100
# What the study file calls it.
_NAMES: dict[Facet, str] = {"config": "model_config"}


def comparisons(
    planned: PlannedCells,
    graders: Collection[str],
    facet: Facet = "condition",
) -> StudyComparisons:
    """All pairs of the levels of a facet, as one family for each grader."""
    chosen = chosen_of(planned, graders)
    if facet == "grader":
        families = [_graders(planned, chosen)]
    else:
        families = [_family(planned, planned.of_grader(grader), grader, facet) for grader in chosen]
    return told(planned, facet, families)


def _graders(planned: PlannedCells, chosen: Sequence[GradeCondition]) -> Compared:
    """All pairs of graders whose scores mean the same; a judge counts once."""
    once, others = of_one_scale(each_once(chosen))
    if why := incomparable(once, "compare"):
        return Compared(graded_by=None, scale=None, words=[why])
    found = _family(planned, planned.of_graders(once), once[0], "grader")
    return replace(found, words=[*others, *found.words])


def _family(
    planned: PlannedCells, cells: pa.Table, grader: GradeCondition, facet: Facet
) -> Compared:
    label, scale = told_by(grader, facet)
    try:
        require_scores(cells)
        _require_several(cells, facet)
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


def _require_several(cells: pa.Table, facet: Facet) -> None:
    """Nobody reads the pairs of a thousand conditions, and Holm would call none of them."""
    column, name = COLUMNS[facet], _NAMES.get(facet, facet)
    planned = pc.unique(cells[column])  # type: ignore[attr-defined]
    scored = pc.unique(cells.filter(pc.is_valid(cells["score"]))[column])  # type: ignore[attr-defined]
    n = len(planned)
    if n == 1:
        raise MeasurementError(f"The study has one {name}, {planned[0]}: a comparison needs two.")
    if len(scored) == 1:
        raise MeasurementError(f"Only the {name} {scored[0]} has scores: a comparison needs two.")
    if n > _MOST_OBJECTS:
        raise MeasurementError(
            f"{n:,} {facet}s have {n * (n - 1) // 2:,} pairs: all pairs are for up to"
            f" {_MOST_OBJECTS}. Name two, or compare another facet: --of model."
        )
