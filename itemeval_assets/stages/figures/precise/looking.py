"""A look at the first items: how wide the intervals are that `precision` asks for."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.precise import half_width_of, metrics_of
from itemeval_assets.core.records.precision import PrecisionLook
from itemeval_assets.measurement import Estimate, MeasurementError, Precision, mean_score, precision

from ..comparisons.comparisons import comparisons
from ..planned import PlannedCells, require_scores

__all__ = ["look", "next_tranche"]

# So much more is bought at least, as a part of what there is: each look is a run.
_LEAST_STEP = 0.1


class _Seen(NamedTuple):
    """One interval at this look, and how many items of it have a score."""

    of: str
    graded_by: str
    found: Precision
    n_items: int
    n_clusters: int


def look(planned: PlannedCells, items: int) -> PrecisionLook:
    """The widest interval over the first `items`: of all pairs of conditions, or of the one mean.

    Only these items count, whatever is stored of others: which of those have a score is no chance.
    """
    asked = planned.study.config.precision
    assert asked is not None
    first = PlannedCells(
        planned.study, planned.store, planned.items.slice(0, items), planned.policy
    )
    target = half_width_of(asked, planned.level)
    try:
        seen = [
            one
            for judge in metrics_of(planned.study.design, asked)
            for one in _seen_by(first, judge, target)
        ]
    except MeasurementError as error:
        is_early = _are_of_one_cluster(first)
        return PrecisionLook(
            items, target, problem=str(error), is_early=is_early, detect=asked.detect
        )
    widest = max(seen, key=lambda one: one.found.half_width)
    needed = [_needed(one) for one in seen]
    return PrecisionLook(
        items,
        target,
        half_width=widest.found.half_width,
        of=widest.of,
        graded_by=widest.graded_by,
        is_reached=all(one.found.is_reached for one in seen),
        needed=None if None in needed else max(filter(None, needed)),
        detect=asked.detect,
    )


def next_tranche(seen: PrecisionLook, most: int) -> int | None:
    """How many items to have at the next look; null: no more. At most twice as many."""
    n = seen.n_items
    if seen.is_reached or (seen.problem and not seen.is_early) or n >= most:
        return None
    wanted = max(seen.needed or 2 * n, math.ceil(n * (1 + _LEAST_STEP)))
    return min(wanted, 2 * n, most)


def _are_of_one_cluster(planned: PlannedCells) -> bool:
    if planned.cluster is None:
        return False
    return len({*planned.columns.by_item(planned.cluster).values()}) == 1


def _seen_by(planned: PlannedCells, judge: GradeCondition, target: float) -> Iterator[_Seen]:
    """Each interval by one grader. Raises MeasurementError where one cannot be had."""
    scale = judge.grader.scale
    for of, found in _estimates(planned, judge):
        at = precision(found, target, scale=scale, level=planned.level)
        yield _Seen(of, judge.label, at, found.n_items, found.n_clusters)


def _estimates(planned: PlannedCells, judge: GradeCondition) -> Sequence[tuple[str, Estimate]]:
    conditions = planned.study.design.first_asked
    if len(conditions) == 1:
        cells = planned.of_grader(judge)
        require_scores(cells)
        of_mean = mean_score(
            cells,
            cluster=planned.checked_cluster,
            scale=judge.grader.scale,
            level=planned.level,
        )
        return [(f"the mean of {conditions[0].label}", of_mean)]
    [pairs] = comparisons(planned, [judge.id]).by_grader
    if pairs.left_out:
        a, b, why = pairs.left_out[0]
        raise MeasurementError(f"{a} and {b} by {judge.label}: {why}")
    if not pairs.differences:
        raise MeasurementError(f"by {judge.label}: {' '.join(pairs.words)}")
    return [(f"{one.a} less {one.b}", one) for one in pairs.differences]


def _needed(one: _Seen) -> int | None:
    """Clusters as items, at as many items to a cluster as now."""
    clusters = one.found.needed
    return None if clusters is None else math.ceil(clusters * one.n_items / one.n_clusters)
