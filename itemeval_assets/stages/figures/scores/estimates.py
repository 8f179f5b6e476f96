"""What is estimated of the cells of one condition: the mean score, or a rate over replications."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.study import run_plan
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import (
    Estimate,
    MeasurementError,
    majority_at_k,
    mean_score,
    pass_at_k,
)
from itemeval_assets.measurement.records import Scale
from itemeval_assets.measurement.scores.rates import Rate, rate_without_certainty

from ..planned import PlannedCells, require_measurable

__all__ = [
    "MEAN",
    "NOTHING",
    "Figure",
    "Rate",
    "bounds_of",
    "figures_of",
    "least_passing",
    "parts_of",
    "rate",
]

NOTHING = {"mean": None, "standard_error": None, "low": None, "high": None, "method": None}
_RATES: dict[Rate, Callable[..., Estimate]] = {"pass": pass_at_k, "majority": majority_at_k}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`of` estimates it from cells; `alone` says what is known where it cannot, given the reason.

    `chosen` leaves cells out, and says why. `value` is the figure of cells that all have a score.
    """

    name: str
    of: Callable[[PlannedCells, pa.Table, Scale | None], Estimate]
    value: Callable[[PlannedCells, pa.Table, Scale | None], float]
    alone: Callable[[pa.Table, str], dict[str, Any]]
    chosen: Callable[[pa.Table], tuple[pa.Table, list[str]]]


def figures_of(
    figure: Figure, planned: PlannedCells, cells: pa.Table, scale: Scale | None
) -> dict[str, Any]:
    """What the estimate says, in the words of a score; where there is none, why."""
    kept, said = cells, []
    try:
        kept, said = figure.chosen(cells)
        require_measurable(kept)
        return parts_of(figure.of(planned, kept, scale), said)
    except MeasurementError as error:
        return figure.alone(kept, " ".join([*said, str(error), *_of_stray(kept, scale)]))


def _of_stray(cells: pa.Table, scale: Scale | None) -> list[str]:
    """What an estimate says of scores outside of the scale, where there is no estimate."""
    if scale is None:
        return []
    low, high = scale
    scores = cells["score"].drop_null().to_numpy()
    outside = int(((scores < low) | (scores > high)).sum())
    told = f"{outside:,} scores lie outside of the scale {low:g} to {high:g}, and are kept."
    return [told] if outside else []


def parts_of(found: Estimate, said: list[str]) -> dict[str, Any]:
    """An estimate in the words of a score."""
    known = not found.untold
    return {
        "mean": found.value,
        "standard_error": found.standard_error,
        "low": found.low if known else None,
        "high": found.high if known else None,
        "method": found.method,
        "n_items": found.n_items,
        "n_clusters": found.n_clusters,
        "warnings": (*said, *found.warnings),
    }


def bounds_of(
    value: Callable[[pa.Table], float], cells: pa.Table, scale: Scale
) -> tuple[float, float] | None:
    """A figure if all cells without a score had the worst, and if they had the best of the scale.

    There also where scores allow no interval. Null where they allow no figure at all.
    """
    try:
        require_measurable(cells)
        low, high = (value(_filled(cells, end)) for end in scale)
    except MeasurementError:
        return None
    return low, high


def _filled(cells: pa.Table, end: float) -> pa.Table:
    place = cells.column_names.index("score")
    scores = pc.fill_null(cells["score"], end)  # type: ignore[attr-defined]
    return cells.set_column(place, "score", scores)


def rate(planned: PlannedCells, kind: Rate, k: int, passes: float | None = None) -> Figure:
    """pass@k or majority@k. Raises ConfigError for more replications than the policy covers.

    A score of `passes` or more passes: by default, of the end of the grader's scale.
    """
    plan = run_plan(planned.study.config, planned.policy)
    if not 1 <= k <= plan.replications:
        few = "replication" if plan.replications == 1 else "replications"
        raise ConfigError(
            f"{kind}@{k}: the policy {plan.policy} covers {plan.replications} {few} of each item;"
            f" choose k from 1 to {plan.replications}, or raise facets.replications"
        )

    def of(planned: PlannedCells, cells: pa.Table, scale: Scale | None) -> Estimate:
        least = least_passing(scale, passes)
        options: dict[str, Any] = {"cluster": planned.checked_cluster, "level": planned.level}
        return _RATES[kind](cells, k, passes=least, **options)

    name = f"{kind}@{k}"
    return Figure(
        name=name if passes is None else f"{name}, from a score of {passes:g}",
        of=of,
        value=lambda _, cells, scale: rate_without_certainty(
            cells, kind, k, passes=least_passing(scale, passes)
        ),
        alone=lambda _, why: {**NOTHING, "n_items": 0, "n_clusters": 0, "warnings": (why,)},
        chosen=lambda cells: _often_enough(cells, k),
    )


def least_passing(scale: Scale | None, passes: float | None) -> float:
    """The score from which on an answer passes: `passes`, else the end of the grader's scale."""
    if passes is not None:
        return passes
    if scale is None:
        raise MeasurementError(
            "No scale is declared, so nobody knows which scores pass: give --passes, or write"
            " graders.<name>.scale."
        )
    return scale[1]


def _often_enough(cells: pa.Table, k: int) -> tuple[pa.Table, list[str]]:
    """The cells of items that have k scores or more."""
    counts = cells.group_by("item_id").aggregate([("score", "count")])
    enough = counts.filter(pc.greater_equal(counts["score_count"], k))  # type: ignore[attr-defined]
    if not enough.num_rows:
        most = max(counts["score_count"].to_pylist(), default=0)
        raise MeasurementError(
            f"No item has {k} scored replications in this condition, but {most} at most: run the"
            f" missing cells, or choose k up to {most}."
        )
    few = counts.num_rows - enough.num_rows
    if not few:
        return cells, []
    items = f"{few:,} item{'' if few == 1 else 's'}"
    kept = cells.filter(pc.is_in(cells["item_id"], value_set=enough["item_id"]))  # type: ignore[attr-defined]
    return kept, [f"{items} with fewer than {k} scored replications: left out."]


def _mean(planned: PlannedCells, cells: pa.Table, scale: Scale | None) -> Estimate:
    found = mean_score(cells, cluster=planned.checked_cluster, scale=scale, level=planned.level)
    return found if scale else _without_spread(found, cells)


def _without_spread(found: Estimate, cells: pa.Table) -> Estimate:
    """Of scores that are all 1 or all 0 without a scale: they may be counts, and no rights."""
    scores = cells["score"].drop_null()
    if len(scores.unique()) > 1:
        return found
    alike = f"All items have the same value, {found.value:g}: without spread no interval."
    return replace(found, low=found.value, high=found.value, method="no spread", warnings=(alike,))


def _mean_alone(cells: pa.Table, why: str) -> dict[str, Any]:
    done = cells.filter(cells["score"].is_valid())
    means = _item_means(done)
    mean = math.fsum(one / len(means) for one in means)
    finite = {"mean": mean if math.isfinite(mean) else None}
    return {**NOTHING, **finite, "n_items": len(means), "n_clusters": 0, "warnings": (why,)}


def _item_means(cells: pa.Table) -> list[float]:
    return cells.group_by("item_id").aggregate([("score", "mean")])["score_mean"].to_pylist()


MEAN = Figure(
    name="mean score",
    of=_mean,
    value=lambda _, cells, __: fmean(_item_means(cells)),
    alone=_mean_alone,
    chosen=lambda cells: (cells, []),
)
