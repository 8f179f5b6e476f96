"""comparisons: all pairs of the levels of a facet, by each grader."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import Design, GradeCondition
from itemeval_assets.measurement import MeasurementError, compare_all

from ..graders import each_once, incomparable, of_one_scale
from ..planned import PlannedCells, require_scores
from .named import Facet, names_of
from .records import COLUMNS, Compared, StudyComparisons, chosen_of, told, told_by
from .remarks import bounded, words_of

__all__ = ["comparisons"]

_MOST_OBJECTS = 100
# What the study file calls it.
_NAMES: Mapping[str, str] = {"config": "model_config"}


def comparisons(
    planned: PlannedCells,
    graders: Collection[str],
    facet: Facet = "condition",
) -> StudyComparisons:
    """All pairs of the levels of a facet, as one family for each grader."""
    chosen = chosen_of(planned, graders)
    if facet == "grader":
        families = [_graders(planned, chosen)]
    elif why := _too_many(planned.study.design, facet):
        families = [
            Compared(graded_by=one.label, scale=one.grader.scale, words=[why]) for one in chosen
        ]
    else:
        families = [_family(planned, planned.of_grader(grader), grader, facet) for grader in chosen]
    return told(planned, facet, families)


def _graders(planned: PlannedCells, chosen: Sequence[GradeCondition]) -> Compared:
    """All pairs of graders whose scores mean the same; a judge counts once."""
    once, others = of_one_scale(each_once(chosen))
    if why := incomparable(once):
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
            cluster=planned.checked_cluster,
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


def _too_many(design: Design, facet: Facet) -> str | None:
    """Why there are no pairs: nobody reads those of a thousand conditions. Before a cell is read.

    The facets that have fewer levels are named instead.
    """
    n_levels = {name: len(levels) for name, levels in names_of(design).items()}
    n = n_levels[facet]
    if n <= _MOST_OBJECTS:
        return None
    others = [
        f"{_NAMES.get(name, name)} ({count})"
        for name, count in n_levels.items()
        if name not in (facet, "grader") and 1 < count <= _MOST_OBJECTS
    ]
    return (
        f"{n:,} {_NAMES.get(facet, facet)}s have {n * (n - 1) // 2:,} pairs: all pairs are for up"
        f" to {_MOST_OBJECTS}. Name two"
        + (f", or compare all pairs of another facet: {', '.join(others)}." if others else ".")
    )


def _require_several(cells: pa.Table, facet: Facet) -> None:
    column, name = COLUMNS[facet], _NAMES.get(facet, facet)
    planned = pc.unique(cells[column])  # type: ignore[attr-defined]
    scored = pc.unique(cells.filter(pc.is_valid(cells["score"]))[column])  # type: ignore[attr-defined]
    if len(planned) == 1:
        raise MeasurementError(f"The study has one {name}, {planned[0]}: a comparison needs two.")
    if len(scored) == 1:
        raise MeasurementError(f"Only the {name} {scored[0]} has scores: a comparison needs two.")
