"""A gate between two conditions of a study, or two models, prompts or configs of it."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import counted
from itemeval_assets.measurement import (
    Difference,
    MeasurementError,
    PairedVariances,
    compare,
)

from ..comparisons.named import Facet, meant
from ..comparisons.records import COLUMNS
from ..planned import PlannedCells, require_scores
from ..plans.variances import pair_of, variances_of
from .judging import Bench, Lacking
from .records import Judged

__all__ = ["judged_conditions", "whole_variance"]


def judged_conditions(
    bench: Bench, candidate: str, against: str, judges: Sequence[GradeCondition]
) -> tuple[list[Judged], list[str]]:
    """A verdict by each grader, and what was taken for a start of a name."""
    facet, first, other, taken = meant(bench.planned.study.design, candidate, against)
    if facet == "grader":
        raise ConfigError(f"gate.against: {against!r} is a grader: graders are no better or worse")
    found = [_by_grader(bench, judge, facet, (first, other)) for judge in judges]
    return found, taken


def _by_grader(bench: Bench, judge: GradeCondition, facet: Facet, names: tuple[str, str]) -> Judged:
    planned = bench.planned
    try:
        cells = planned.of_grader(judge, _named(planned, facet, names))
        require_scores(cells)
        found = compare(
            cells,
            *names,
            object=COLUMNS[facet],
            cluster=planned.checked_cluster,
            scale=judge.grader.scale,
            level=planned.level,
        )
    except MeasurementError as error:
        raise MeasurementError(f"gate, by {judge.label}: {error}") from error
    lacking = _lacking(cells, COLUMNS[facet], names)
    judged = bench.judged(judge, found, names, lacking, lambda: _variances(planned, judge, found))
    if judged.verdict == "INCONCLUSIVE":
        judged.words.extend(_words_on_anchors(planned, names))
    return judged


def _lacking(cells: pa.Table, column: str, names: tuple[str, str]) -> Lacking:
    """Of each side by itself: what the other has hides nothing of it."""
    scores = cells.select([column, "score"]).to_pandas()
    sides = [scores.loc[scores[column] == name, "score"] for name in names]
    each = [Lacking(int(one.isna().sum()), len(one)) for one in sides]
    return max(each, key=lambda one: one.without_score / max(1, one.cells))


def _words_on_anchors(planned: PlannedCells, names: tuple[str, str]) -> Iterator[str]:
    """A wave with anchors has no further items."""
    for one in planned.study.design.generate:
        if one.label in names and one.wave and one.wave.anchors:
            yield (
                f"{one.label} has {counted(one.wave.anchors, 'anchor')}: further items decide only"
                " with more `anchors` of the wave, whose calls are not counted here."
            )


def _named(planned: PlannedCells, facet: Facet, names: tuple[str, str]) -> set[str] | None:
    """The generate conditions that are named, which may be of a wave; null: those of none."""
    if facet != "condition":
        return None
    return {one.id for one in planned.study.design.generate if one.label in names}


def _variances(planned: PlannedCells, judge: GradeCondition, found: Difference) -> PairedVariances:
    """In parts where both are one condition, so that replications are weighed, too."""
    try:
        return variances_of(planned, judge, pair_of(planned, str(found.a), str(found.b)), {})
    except MeasurementError:
        return whole_variance(planned, judge, found)


def whole_variance(
    planned: PlannedCells, judge: GradeCondition, found: Difference
) -> PairedVariances:
    """Undivided: only more items are weighed, with as many replications and repeats as now."""
    return PairedVariances(
        omega2=found.n_items * found.standard_error**2,
        replications=planned.study.config.facets.replications,
        repeats=len(planned.study.design.repeats_of(judge)),
        items_per_cluster=found.n_items / found.n_clusters,
        n_items=found.n_items,
        n_pairs=1,
    )
