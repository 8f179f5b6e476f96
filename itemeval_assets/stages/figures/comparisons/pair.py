"""compare: two levels of one facet, by each grader."""

from collections.abc import Collection
from dataclasses import replace

import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import MeasurementError, interaction
from itemeval_assets.measurement import compare as compared

from ..graders import incomparable
from ..item_columns import grouped
from ..planned import PlannedCells, require_scores
from .named import Facet, meant
from .records import COLUMNS, Compared, StudyComparisons, chosen_of, told, told_by
from .remarks import bounded, words_of, words_of_levels

__all__ = ["compare"]


def compare(
    planned: PlannedCells, a: str, b: str, graders: Collection[str], by: str | None = None
) -> StudyComparisons:
    """Two levels of one facet, by each grader; `by`: does it depend on this item column?

    Raises ConfigError where no facet has both, and MeasurementError where no grader allows it.
    """
    facet, first, other, taken = meant(planned.study.design, a, b)
    tags = [planned.columns.require(by, "by")] if by else []
    chosen = chosen_of(planned, graders)
    if facet == "grader":
        both = [one for one in planned.study.design.grade if one.label in (first, other)]
        if why := incomparable(both):
            raise MeasurementError(why)
        cells = planned.of_graders(both, tags=tags)
        pair = _pair(planned, cells, both[0], facet, first, other, by)
        return told(planned, facet, [replace(pair, words=[*taken, *pair.words])])
    named = _named(planned, facet, first, other)
    found = [
        _pair(planned, planned.of_grader(grader, named, tags=tags), grader, facet, first, other, by)
        for grader in chosen
    ]
    if not any(one.differences for one in found):
        raise MeasurementError(found[0].words[0])
    return told(planned, facet, [replace(one, words=[*taken, *one.words]) for one in found])


def _named(planned: PlannedCells, facet: Facet, a: str, b: str) -> set[str] | None:
    """The generate conditions that are named: these may be of a wave."""
    if facet != "condition":
        return None
    return {one.id for one in planned.study.design.generate if one.label in (a, b)}


def _pair(
    planned: PlannedCells,
    cells: pa.Table,
    grader: GradeCondition,
    facet: Facet,
    a: str,
    b: str,
    by: str | None,
) -> Compared:
    label, scale = told_by(grader, facet)
    column = COLUMNS[facet]
    try:
        known = {
            "cluster": planned.checked_cluster,
            "scale": scale,
            "level": planned.level,
        }
        require_scores(cells)
        difference = compared(cells, a, b, object=column, **known)
    except MeasurementError as error:
        return Compared(graded_by=label, scale=scale, words=[str(error)])
    words, depends = [*words_of(planned, [difference], scale)], None
    if by:
        try:
            found = interaction(grouped(cells, by), a, b, by=by, object=column, **known)
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
