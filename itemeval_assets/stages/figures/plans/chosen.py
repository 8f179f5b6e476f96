"""The design that is asked for: it finds a difference, or is within a ceiling."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.text.words import dollars
from itemeval_assets.measurement import (
    MeasurementError,
    PairedVariances,
    PlannedDesign,
    best_design,
    cheapest_design,
    plan_frontier,
)
from itemeval_assets.measurement.planning.designs import MOST_ITEMS

from ..comparisons.remarks import about_points, in_points
from .costs import StudyCosts
from .records import Test

__all__ = ["Asked", "chosen_design", "numbers_of"]

# All small numbers, and further apart where one more of them changes little.
_REPLICATIONS = (*range(1, 21), 25, 30, 40, 50, 75, 100)
_REPEATS = (*range(1, 6), 10)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a plan is for. `stated`: variances in the place of those of stored rows."""

    detect: float | None = None
    max_usd: float | None = None
    power: float = 0.8
    pilot: int | None = None
    stated: Mapping[str, Any] | None = None


def numbers_of(design: PlannedDesign) -> tuple[int, int, int]:
    return design.items, design.replications, design.repeats


def chosen_design(
    variances: PairedVariances,
    costs: StudyCosts,
    judge: GradeCondition,
    asked: Asked,
    test: Test,
) -> tuple[PlannedDesign | None, list[str]]:
    """The design that is asked for, within the data where these have one, and words on it.

    Raises MeasurementError for what no design reaches.
    """
    _require_within(asked.detect, judge)
    if asked.max_usd is not None and costs.unpriced:
        raise MeasurementError(
            f"max_usd: no price is known for {', '.join(costs.unpriced)}: give it one in the file"
            " of budget.pricing_path, or ask for a difference (detect)"
        )
    cost, most, scale = costs.cost_of(judge), max(2, costs.population), judge.grader.scale
    if asked.detect is None:
        if asked.max_usd is None:
            return None, []
        return _affordable(variances, costs, judge, asked.max_usd, most, test)
    looked_at = _looked_at(variances)
    words = []
    try:
        found = cheapest_design(variances, cost, asked.detect, most_items=most, **looked_at, **test)
    except MeasurementError:
        found = cheapest_design(
            variances, cost, asked.detect, most_items=MOST_ITEMS, **looked_at, **test
        )
        best = plan_frontier(variances, cost, items=[most], **looked_at, **test)[-1]
        words = [f"The items that there are find {about_points(best.detect, scale)} at best."]
    ceiling = costs.of(judge)(*numbers_of(found)).at_most_usd
    if asked.max_usd is not None and ceiling is not None and ceiling > asked.max_usd:
        most_found, _ = _affordable(variances, costs, judge, asked.max_usd, most, test)
        raise MeasurementError(
            f"max_usd is {asked.max_usd:g}: a difference of {in_points(asked.detect, scale)} costs"
            f" at most {dollars(ceiling)}; for {dollars(asked.max_usd)} at most the smallest is"
            f" {about_points(most_found.detect, scale)}"
        )
    return found, words


def _affordable(
    variances: PairedVariances,
    costs: StudyCosts,
    judge: GradeCondition,
    max_usd: float,
    most_items: int,
    test: Test,
) -> tuple[PlannedDesign, list[str]]:
    """The sharpest whose ceiling is within a limit, as a run with that limit is; its cost is as
    expected."""
    found = best_design(
        variances,
        costs.cost_of(judge, at_most=True),
        max_usd,
        most_items=most_items,
        **_looked_at(variances),
        **test,
    )
    is_last = found.replications == _REPLICATIONS[-1]
    words = [f"Designs of up to {_REPLICATIONS[-1]} replications are looked at."] if is_last else []
    expected = costs.cost_of(judge)(*numbers_of(found))
    return replace(found, usd=expected.usd), words


def _looked_at(variances: PairedVariances) -> dict[str, list[int]]:
    """Which numbers of replications and repeats the design that is asked for may have."""
    return {
        "replications": sorted({*_REPLICATIONS, variances.replications}),
        "repeats": sorted({*_REPEATS, variances.repeats}),
    }


def _require_within(detect: float | None, judge: GradeCondition) -> None:
    scale = judge.grader.scale
    if detect is not None and scale and detect > scale[1] - scale[0]:
        raise MeasurementError(
            f"detect is {detect:g}, and the scale of {judge.label} is {scale[0]:g} to"
            f" {scale[1]:g}: no difference is larger; give it in units of the score"
        )
