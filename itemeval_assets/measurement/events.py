"""The grading events that an estimate is made of: one grader, known items, known clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .columns import (
    GRADE_CONDITION,
    GRADER_NAMES,
    Codes,
    Frame,
    codes,
    compact,
    counted,
    full_codes,
    is_blank,
    names,
    refuse_repeated_rows,
    shortened,
)
from .numeric import scores_of
from .records import MeasurementError

__all__ = ["Events", "codes_of_items", "read_events", "rows_of_grader"]

Grader = str | Sequence[str] | None
_SHOWN = 5


@dataclass(frozen=True)
class Events:
    """Rows as arrays: `score` is NaN where a row has none; `cluster` is by item code."""

    score: np.ndarray
    item: np.ndarray
    group: np.ndarray
    cluster: np.ndarray
    items: Codes
    groups: list

    @cached_property
    def scored(self) -> "Events":
        """The rows with a score."""
        return self.only(~np.isnan(self.score))

    @property
    def n_missing(self) -> int:
        """How many rows have no score."""
        return int(np.isnan(self.score).sum())

    def only(self, rows: np.ndarray) -> "Events":
        """Some of the rows, with the codes as they are."""
        return replace(self, score=self.score[rows], item=self.item[rows], group=self.group[rows])


def read_events(
    frame: Frame,
    *,
    score: str,
    item: str,
    cluster: str | None,
    grader: Grader = None,
    by: str | Sequence[str] | None = None,
    pooled: bool = False,
    rows: np.ndarray | None = None,
) -> Events:
    """Read only the columns used. `by` names what splits the rows into groups.

    Several graders are refused unless they are named, or `pooled` says that the caller keeps
    them apart. `rows` are those that the caller chose, instead of those of a grader.
    """
    scores = scores_of(frame, score)
    refuse_repeated_rows(frame)
    if rows is None:
        rows = rows_of_grader(frame, grader, pooled=pooled)
    items = full_codes(frame, item)
    group, labels = _groups(frame, items, by, len(scores))
    clusters = _clusters(frame, items, item, cluster)
    if np.isnan(scores[rows]).all():
        raise MeasurementError(
            f"All {len(scores[rows]):,} rows have an empty {score!r}: there is nothing to measure."
        )
    return Events(scores[rows], items.codes[rows], group[rows], clusters, items, labels)


def codes_of_items(frame: Frame, name: str, items: Codes) -> Codes:
    """A column as codes, where it must have a value for each item, and a blank text is none."""
    found = codes(frame, name)
    blank = [code for code, label in enumerate(found.labels) if is_blank(label)]
    empty = np.unique(items.codes[(found.codes < 0) | np.isin(found.codes, blank)])
    if len(empty):
        named = shortened([items.labels[code] for code in empty], _SHOWN)
        raise MeasurementError(
            f"Column {name!r} is empty for {counted(len(empty), 'item')}: {named}. Fill it, or"
            " leave these items out."
        )
    return found


def _groups(
    frame: Frame, items: Codes, by: str | Sequence[str] | None, n_rows: int
) -> tuple[np.ndarray, list]:
    """The group of each row; several columns make one group of each combination."""
    if by is None:
        return np.zeros(n_rows, dtype=np.int64), [None]
    if isinstance(by, str):
        found = codes_of_items(frame, by, items)
        return found.codes, found.labels
    columns = [codes_of_items(frame, name, items) for name in by]
    if not columns:
        raise MeasurementError("by=[] names no column: leave it out, or name one.")
    keys, places = compact(*(column.codes for column in columns))
    first = np.zeros(len(keys), dtype=np.int64)
    first[places] = np.arange(n_rows)
    labels = [
        tuple(column.labels[column.codes[row]] for column in columns) for row in first.tolist()
    ]
    return places, labels


def _clusters(frame: Frame, items: Codes, item: str, cluster: str | None) -> np.ndarray:
    """The cluster of each item: itself, unless a column says more. It has one, and only one."""
    if cluster in (None, item):
        return np.arange(len(items))
    found = codes_of_items(frame, str(cluster), items)
    of_item = np.zeros(len(items), dtype=np.int64)
    of_item[items.codes] = found.codes
    strays = np.flatnonzero(of_item[items.codes] != found.codes)
    if len(strays):
        one = items.labels[items.codes[strays[0]]]
        raise MeasurementError(
            f"Item {one!r} lies in more than one {cluster!r}: each item belongs to one cluster."
        )
    return of_item


def rows_of_grader(frame: Frame, grader: Grader, *, pooled: bool = False) -> np.ndarray:
    """Which rows a grader made. Without a name there must be only one grade condition."""
    if grader is not None:
        wanted = [grader] if isinstance(grader, str) else list(grader)
        if not wanted:
            raise MeasurementError("grader=[] names no grader: leave it out, or name one.")
        return np.any([_rows_of_name(frame, name) for name in wanted], axis=0)
    if not pooled and GRADE_CONDITION in names(frame):
        found = codes(frame, GRADE_CONDITION).labels
        if len(found) > 1:
            raise MeasurementError(
                f"The frame has {len(found)} graders, which are never pooled unless named:"
                f" {shortened(found)}. Choose one with grader=, or give a list of them."
            )
    return np.ones(len(frame), dtype=bool)


def _rows_of_name(frame: Frame, name: str) -> np.ndarray:
    """The rows of one grade condition, by its id, slug, grader, scorer, model or rubric."""
    known = [column for column in GRADER_NAMES if column in names(frame)]
    for column in known:
        found = codes(frame, column)
        if name not in found.labels:
            continue
        rows = found.codes == found.labels.index(name)
        if GRADE_CONDITION in known:
            conditions = codes(frame, GRADE_CONDITION)
            chosen = np.unique(conditions.codes[rows])
            if len(chosen) > 1:
                ids = shortened([conditions.labels[code] for code in chosen])
                raise MeasurementError(
                    f"{name!r} names {len(chosen)} grade conditions: {ids}. Name one, or list them."
                )
        return rows
    graders = codes(frame, known[0]).labels if known else []
    hint = f"It has: {shortened(graders)}." if known else "It has no column of graders."
    raise MeasurementError(f"The frame has no grader {name!r}. {hint}")
