"""The mean score of a condition, with its certainty."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..arguments import checked, is_whole
from ..columns import Frame, shortened
from ..events import Events, Grader, read_events
from ..intervals import (
    NEAR_END,
    checked_level,
    checked_scale,
    of_few_clusters,
    t_quantile,
    wilson_interval,
)
from ..numeric import LARGEST_COUNT
from ..records import Estimate, MeasurementError, Scale
from ..rounding import rounding_of
from .bounds import bounds_of
from .cells import Cells, clustered_means, item_means

__all__ = ["estimate_means", "mean_score", "mean_scores"]


@checked
def mean_score(
    frame: Frame,
    *,
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    scale: Scale | None = None,
    missing: int = 0,
    level: float = 0.95,
) -> Estimate:
    """The mean of the item means, and how sure it is.

    The standard error is robust to clusters of items, with the factor C/(C-1) for C clusters, as
    inspect_ai's `stderr(cluster=)` and statsmodels have it (Liang & Zeger 1986; Miller 2024,
    arXiv:2411.00640, leaves the factor out). The interval is Student's t with C-1 degrees of
    freedom. Where each score is the lowest or the highest, each item has one, and items are their
    own clusters, the interval is Wilson's.

    `missing` counts cells of the design without a row in the frame; rows with an empty score are
    counted besides. With `scale` both give `bounds`. A score outside of the scale is kept, and
    said in `warnings`.
    """
    events = read_events(frame, score=score, item=item, cluster=cluster, grader=grader)
    return estimate_means(events, scale=scale, missing={None: missing}, level=level)[None]


@checked
def mean_scores(
    frame: Frame,
    *,
    by: str | Sequence[str],
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    scale: Scale | None = None,
    missing: Mapping[Hashable, int] | None = None,
    level: float = 0.95,
) -> dict[Hashable, Estimate]:
    """`mean_score` of each value of a column, or of each combination of several.

    `missing` counts the missing cells by the same values. Unless `by` keeps graders apart, there
    must be one. A group that allows no estimate is an error that names it.
    """
    columns = [by] if isinstance(by, str) else list(by)
    pooled = "grade_condition_id" in columns
    events = read_events(
        frame, score=score, item=item, cluster=cluster, grader=grader, by=by, pooled=pooled
    )
    return estimate_means(events, scale=scale, missing=missing or {}, level=level)


def estimate_means(
    events: Events,
    *,
    scale: Scale | None,
    missing: Mapping,
    level: float,
    are_scores: bool = True,
) -> dict[Hashable, Estimate]:
    """One estimate for each group of events.

    Without `are_scores` they are differences: those of 0 and 1 are no right answers to count.
    """
    checked_level(level)
    scale = checked_scale(scale)
    absent = _checked_missing(events.groups, missing)
    scored, n_groups = events.scored, len(events.groups)
    cells = item_means(scored)
    n_items, mean, error, n_clusters = clustered_means(
        cells.group, events.cluster[cells.item], cells.mean, n_groups
    )
    n_events = np.bincount(scored.group, minlength=n_groups)
    n_empty = np.bincount(events.group, minlength=n_groups) - n_events
    binary, *spread = _spread(scored, cells, scale)
    spread = [binary if are_scores else [False] * n_groups, *spread]
    bounds = bounds_of(events, absent, scale) if scale else {}
    found: dict[Hashable, Estimate] = {}
    for code in np.unique(events.group).tolist():
        label = events.groups[code]
        rough = Estimate(
            value=float(mean[code]),
            standard_error=float(error[code]),
            low=float(mean[code]),
            high=float(mean[code]),
            level=level,
            n_events=int(n_events[code]),
            n_items=int(n_items[code]),
            n_clusters=int(n_clusters[code]),
            method="",
            n_missing=int(n_empty[code] + absent[code]),
            bounds=bounds.get(code),
        )
        _refuse_too_few(label, rough)
        found[label] = _with_interval(rough, scale, *(column[code] for column in spread))
    return found


def _checked_missing(groups: list, missing: Mapping) -> np.ndarray:
    unknown = [label for label in missing if label not in groups]
    if unknown:
        raise MeasurementError(f"missing= counts cells of {shortened(unknown)}, which has no rows.")
    counts = [missing.get(label, 0) for label in groups]
    if not all(is_whole(count, 0) and count <= LARGEST_COUNT for count in counts):
        raise MeasurementError(
            "missing= counts cells: give whole numbers, 0 or more, and at most 2^53."
        )
    return np.array(counts, dtype=np.int64)


def _refuse_too_few(label: Hashable, rough: Estimate) -> None:
    of_label = "" if label is None else f" of {label!r}"
    if not rough.n_events:
        raise MeasurementError(f"All scores{of_label} are empty: there is nothing to measure.")
    if rough.n_items == 1:
        raise MeasurementError(
            f"One item{of_label} tells nothing about other items: a mean needs two or more."
        )
    if rough.n_clusters == 1:
        raise MeasurementError(
            f"All items{of_label} lie in one cluster, which tells nothing about others: use two or"
            " more clusters, or take items for independent."
        )


def _spread(scored: Events, cells: Cells, scale: Scale | None) -> tuple[list, ...]:
    """By group: whether scores are binary, most replications, whether constant, how many stray."""
    n_groups = len(scored.groups)
    low, high = scale or (0.0, 1.0)
    other = np.bincount(scored.group, ~np.isin(scored.score, (low, high)), minlength=n_groups)
    most = np.zeros(n_groups, dtype=np.int64)
    np.maximum.at(most, cells.group, cells.count)
    lowest, highest = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(lowest, cells.group, cells.mean)
    np.maximum.at(highest, cells.group, cells.mean)
    stray = (scored.score < low) | (scored.score > high) if scale else np.zeros(len(scored.score))
    outside = np.bincount(scored.group, stray, minlength=n_groups)
    constant = highest - lowest <= rounding_of(lowest, highest)
    return tuple(column.tolist() for column in (other == 0, most, constant, outside))


def _with_interval(
    rough: Estimate, scale: Scale | None, binary: bool, most: int, constant: bool, outside: int
) -> Estimate:
    """The interval that suits the scores, and the warnings that go with it."""
    low, high = scale or (0.0, 1.0)
    said = [*_said_of_scale(rough, low, high, int(outside), bool(scale or binary))]
    alone = most == 1 and rough.n_clusters == rough.n_items
    if binary and (alone or constant):
        share = (rough.value - low) / (high - low)
        wilson = wilson_interval(share * rough.n_clusters, rough.n_clusters, rough.level)
        limits = [low + (high - low) * limit for limit in wilson]
        method = "Wilson" if alone else "Wilson on clusters, of constant scores"
    elif constant:
        said.append(f"All items have the same value, {rough.value:g}: without spread no interval.")
        limits, method = [rough.value] * 2, "no spread"
    else:
        said.extend(of_few_clusters(rough.n_clusters, rough.n_items))
        half = rough.standard_error * t_quantile(rough.level, rough.n_clusters - 1)
        limits, method = [rough.value - half, rough.value + half], "t, clustered by item"
        if rough.n_clusters < rough.n_items:
            method = f"t, {rough.n_clusters} clusters"
        if scale and not outside:
            limits = [max(low, limits[0]), min(high, limits[1])]
    return replace(
        rough, low=float(limits[0]), high=float(limits[1]), method=method, warnings=tuple(said)
    )


def _said_of_scale(
    rough: Estimate, low: float, high: float, outside: int, known: bool
) -> Iterator[str]:
    if outside:
        yield f"{outside:,} scores lie outside of the scale {low:g} to {high:g}, and are kept."
    near = NEAR_END * (high - low)
    on_it = known and low <= rough.value <= high
    if on_it and not low + near <= rough.value <= high - near:
        yield "The mean is near an end of the scale, where intervals can be too narrow."
