"""What each object has on each item, of one grader unless graders are compared."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..columns import (
    GRADE_CONDITION,
    GRADER_NAMES,
    Frame,
    codes,
    compact,
    full_codes,
    names,
    place_of,
    shortened,
)
from ..events import Events, Grader, read_events, rows_of_grader
from ..records import Bounds, MeasurementError, Scale
from ..rounding import rounding_of
from ..scores.cells import item_means
from .filled import Filled, filled_of

__all__ = ["Answers", "read_answers"]

# What else may differ between two objects, so that their difference is not theirs alone.
OTHER_FACETS = ("model", "prompt_name", "model_config_name")


@dataclass(frozen=True)
class Answers:
    """Objects x items: the mean score (NaN where there is none), and the number of events.

    Columns are sorted by the clusters of their items.

    `binary` tells the objects with scores 0 or 1 and one replication. `varied` has the facets in
    which the objects may differ besides, as sets of values by object. `filled` is null where no
    cell is missing. `of_graders`: the objects are graders.
    """

    objects: list
    item: np.ndarray
    mean: np.ndarray
    count: np.ndarray
    cluster: np.ndarray
    binary: np.ndarray
    n_empty: np.ndarray
    varied: dict[str, list[frozenset]]
    filled: Filled | None = None
    of_graders: bool = False

    @cached_property
    def rounding(self) -> float:
        """Up to how far apart two item means are the same."""
        return float(rounding_of(np.nanmin(self.mean), np.nanmax(self.mean)))

    def bounds_of(
        self, first: int, others: np.ndarray, scale: Scale | None
    ) -> Sequence[Bounds | None]:
        """As `Filled.bounds_of`; null without a scale, or where no cell is missing."""
        if self.filled is None or scale is None:
            return [None] * len(others)
        return self.filled.bounds_of(first, others, scale)

    def n_outside(self, first: int, others: np.ndarray, scale: Scale | None) -> np.ndarray:
        """How many item means of the first and of each other lie outside of the scale."""
        if scale is None:
            return np.zeros(len(others), dtype=np.int64)
        means = self.mean[np.append(others, first)]
        outside = ((means < scale[0]) | (means > scale[1])).sum(axis=1)
        return outside[:-1] + outside[-1]

    def only_items(self, kept: np.ndarray) -> "Answers":
        """The answers on some of the items."""
        return replace(
            self,
            filled=self.filled.only_items(self.item[kept]) if self.filled else None,
            item=self.item[kept],
            mean=self.mean[:, kept],
            count=self.count[:, kept],
            cluster=self.cluster[kept],
        )


def read_answers(
    frame: Frame,
    *,
    object: str,
    score: str,
    item: str,
    cluster: str | None,
    grader: Grader = None,
    only: tuple[Hashable, ...] = (),
) -> Answers:
    """The item means of the objects in a column, of one grader unless graders are compared."""
    rows = rows_of_grader(frame, grader, pooled=True)
    if only:
        column = full_codes(frame, object)
        places = [place_of(column, value, object) for value in only]
        rows &= np.isin(column.codes, places)
    if grader is None:
        _refuse_pooled_graders(frame, rows, object)
    events = read_events(
        frame, score=score, item=item, cluster=cluster, by=object, pooled=True, rows=rows
    )
    return answers_of(frame, events, rows, object)


def _refuse_pooled_graders(frame: Frame, rows: np.ndarray, object: str) -> None:
    """All objects share one grade condition, or, where graders are compared, each has one."""
    if GRADE_CONDITION not in names(frame):
        return
    graders = codes(frame, GRADE_CONDITION)
    if object not in GRADER_NAMES:
        found = [graders.labels[code] for code in np.unique(graders.codes[rows])]
        if len(found) > 1:
            raise MeasurementError(
                f"The rows have {len(found)} graders, which are never pooled unless named:"
                f" {shortened(found)}. Choose one with grader=, or give a list of them."
            )
        return
    column = full_codes(frame, object)
    both = np.unique(np.stack([column.codes[rows], graders.codes[rows]]), axis=1)
    pooled = np.flatnonzero(np.bincount(both[0]) > 1)
    if len(pooled):
        raise MeasurementError(
            f"{column.labels[pooled[0]]!r} is several grade conditions: compare them by"
            f" object={GRADE_CONDITION!r}, or choose some with grader=."
        )


def answers_of(frame: Frame, events: Events, rows: np.ndarray, object: str) -> Answers:
    """The item means of each object that has events. `rows` are those of the frame in `events`."""
    scored = events.scored
    cells = item_means(scored)
    present = np.unique(cells.group)
    row_of = np.zeros(len(events.groups), dtype=np.int64)
    row_of[present] = np.arange(len(present))
    seen = np.unique(cells.item)
    column_of = np.zeros(len(events.items), dtype=np.int64)
    by_cluster = seen[np.argsort(events.cluster[seen], kind="stable")]
    column_of[by_cluster] = np.arange(len(seen))
    mean = np.full((len(present), len(seen)), np.nan)
    count = np.zeros(mean.shape, dtype=np.int64)
    place = row_of[cells.group], column_of[cells.item]
    mean[place], count[place] = cells.mean, cells.count
    other = np.bincount(scored.group, ~np.isin(scored.score, (0, 1)), len(events.groups))[present]
    empty = np.bincount(events.group, np.isnan(events.score), len(events.groups))[present]
    return Answers(
        objects=[events.groups[code] for code in present],
        item=by_cluster,
        mean=mean,
        count=count,
        cluster=events.cluster[by_cluster],
        binary=(other == 0) & (count.max(axis=1) == 1),
        n_empty=empty.astype(np.int64),
        varied=_varied(frame, events, rows, object, present),
        filled=filled_of(events, present) if empty.any() else None,
        of_graders=object in GRADER_NAMES,
    )


def _varied(
    frame: Frame, events: Events, rows: np.ndarray, object: str, present: np.ndarray
) -> dict[str, list[frozenset]]:
    """The values of each other facet by object, of facets in which two objects differ."""
    found = {}
    for facet in set(OTHER_FACETS) & set(names(frame)) - {object}:
        if object not in (*OTHER_FACETS, facet):
            continue
        column = codes(frame, facet)
        labels = [*column.labels, "(empty)"]
        keys, _ = compact(events.group, column.codes[rows] + 1)
        width = int(column.codes[rows].max()) + 2
        sets = [
            frozenset(labels[code - 1] for code in keys[keys // width == row] % width)
            for row in present
        ]
        if len(set(sets)) > 1:
            found[facet] = sets
    return dict(sorted(found.items()))
