"""Krippendorff's alpha: agreement of any number of raters, with gaps."""

from collections.abc import Sequence
from typing import Any

from ..arguments import checked
from ..columns import counted
from ..intervals import checked_level
from ..records import Estimate, MeasurementError
from .bootstrap import bootstrap_error, clustered_error, of_perfect, t_limits
from .patterns import Level, patterns_of
from .units import units_of

__all__ = ["krippendorff_alpha"]


@checked
def krippendorff_alpha(
    ratings: Any,
    *,
    level: Level = "nominal",
    confidence: float = 0.95,
    item: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
) -> Estimate:
    """1 less observed over expected disagreement (Krippendorff 2004, Content Analysis, chapter 11).

    `ratings` is raters x units, NaN or None where a rater has none. `level` is the scale of the
    ratings. Units with fewer than two ratings have no pair, and are left out. The standard error
    comes from a seeded bootstrap over units, the interval from it and Student's t. Units that are
    answers to the same items are drawn by item, or by cluster: `item` and `cluster` have a value
    for each unit.
    """
    checked_level(confidence)
    if level not in ("nominal", "ordinal", "interval", "ratio"):
        raise MeasurementError(
            f"level is {level!r}: choose nominal, ordinal, interval or ratio. The level of the"
            " interval is confidence=."
        )
    patterns, paired, pattern = patterns_of(ratings, level)
    n_units, left_out = len(pattern), int((~paired).sum())
    shared = units_of(len(paired), item, cluster).only(paired)
    value = float(patterns.alpha(patterns.counts[None, :])[0])
    fewer = f"{counted(left_out, 'unit')} with fewer than two ratings: left out."
    said = [fewer] * bool(left_out)
    if value == 1:
        error = 0.0
        mean_raters = float(patterns.ratings_by_unit @ patterns.counts) / n_units
        limits = of_perfect(shared.n_clusters, mean_raters, patterns.differ, confidence)
        said.append("No unit shows a disagreement: the interval tells how many it could miss.")
    else:
        if shared.alone:
            error = bootstrap_error(patterns.counts, patterns.alpha)
        else:
            error = clustered_error(pattern, shared.cluster, patterns.alpha)
        limits = t_limits(value, error, shared.n_clusters, confidence)
    return Estimate(
        value=value,
        standard_error=error,
        low=limits.low,
        high=limits.high,
        level=confidence,
        n_events=int(patterns.ratings_by_unit @ patterns.counts),
        n_items=shared.n_items,
        n_clusters=shared.n_clusters,
        method=f"Krippendorff's alpha, {level}; bootstrap over {shared.drawn}",
        n_missing=left_out,
        warnings=(*said, *shared.few()),
    )
