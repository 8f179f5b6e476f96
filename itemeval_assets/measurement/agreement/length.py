"""Do longer answers get higher scores, on the same item?"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np

from ..arguments import checked
from ..columns import GRADE_CONDITION, Frame, compact, full_codes
from ..events import read_events
from ..intervals import checked_level, of_few_clusters, t_quantile
from ..numeric import is_text, numbers
from ..records import Estimate, MeasurementError
from ..rounding import is_constant, offset_of

__all__ = ["length_slope", "says_alike"]

# Below this share of `per` lengths hardly differ.
ALIKE = 0.1
_ALIKE = "Answers to an item differ by"
# The squares of lengths by more of them would be next to 0.
MOST_PER = 1e9


@checked
def length_slope(
    frame: Frame,
    *,
    length: str = "solution",
    within: Sequence[str] = (),
    per: float = 1000.0,
    judge: str = GRADE_CONDITION,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> dict[Hashable, Estimate]:
    """By judge: how much the score rises with `per` more characters of the answer, within items.

    Least squares on scores and lengths less their means within each item, with an error clustered
    by item (Liang & Zeger 1986, factor C/(C-1)) and Student's t. A column of texts counts their
    characters, one of numbers is taken as it is. Better models may write more: `within=["model"]`
    compares answers of one model only. It is no proof that length is the cause.
    """
    checked_level(level)
    if not 1 / MOST_PER <= per <= MOST_PER:
        raise MeasurementError(
            f"per is {per:g}: give a number of characters above 0, from {1 / MOST_PER:g} to"
            f" {MOST_PER:g}"
        )
    sizes = _lengths(frame, length)
    groups = [full_codes(frame, name).codes for name in within]
    events = read_events(frame, score=score, item=item, cluster=cluster, by=judge, pooled=True)
    usable = ~np.isnan(events.score) & ~np.isnan(sizes)
    found = {}
    for code, label in enumerate(events.groups):
        mine = events.group == code
        rows = np.flatnonzero(mine & usable)
        _, places = compact(events.item[rows], *(column[rows] for column in groups))
        x, y = (_centred(values[rows], places) for values in (sizes / per, events.score))
        clusters = events.cluster[events.item[rows]]
        found[label] = _slope(label, x, y, events.item[rows], clusters, int(mine.sum()), level, per)
    return found


def says_alike(found: Estimate) -> str | None:
    """The warning of a slope that lengths hardly differ; null without it."""
    return next((words for words in found.warnings if words.startswith(_ALIKE)), None)


def _lengths(frame: Frame, name: str) -> np.ndarray:
    if not is_text(frame, name):
        return numbers(frame, name)
    column: Any = frame[name]
    if hasattr(frame, "column_names"):
        import pyarrow.compute as pc

        return pc.utf8_length(column).cast("float64").to_numpy()  # type: ignore[attr-defined]
    return column.str.len().to_numpy(dtype=float, na_value=np.nan)


def _centred(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    if not len(values):
        return values
    values = values - offset_of(values)
    mean = np.bincount(places, values) / np.bincount(places)
    return values - mean[places]


def _slope(
    label: Hashable,
    x: np.ndarray,
    y: np.ndarray,
    items: np.ndarray,
    clusters: np.ndarray,
    n_rows: int,
    level: float,
    per: float,
) -> Estimate:
    varied = np.unique(items[np.abs(x) > 0])
    n_clusters = len(np.unique(clusters[np.isin(items, varied)]))
    if n_clusters < 2:
        raise MeasurementError(
            f"{label!r}: answers differ in length within fewer than two clusters of items, so there"
            " is no slope within items."
        )
    if is_constant(y):
        raise MeasurementError(
            f"{label!r}: the answers to each item have the same score, so a slope cannot be"
            " estimated: nothing tells what length would do to scores that differ."
        )
    total = float(x @ x)
    slope = float(x @ y) / total
    sums = np.bincount(clusters, x * (y - slope * x))
    error = float(np.sqrt(n_clusters / (n_clusters - 1) * (sums**2).sum())) / total
    half = error * float(t_quantile(level, n_clusters - 1))
    return Estimate(
        value=slope,
        standard_error=error,
        low=slope - half,
        high=slope + half,
        level=level,
        n_events=len(y),
        n_items=len(varied),
        n_clusters=n_clusters,
        method="slope within items; t, clustered",
        n_missing=n_rows - len(y),
        warnings=(*_of_alike(x, per), *of_few_clusters(n_clusters, len(varied))),
    )


def _of_alike(x: np.ndarray, per: float) -> Iterator[str]:
    """`x` are the lengths, by `per` characters."""
    spread = float(np.sqrt((x**2).mean()))
    if spread < ALIKE:
        yield (
            f"{_ALIKE} {spread * per:.3g} characters only (standard deviation):"
            f" a slope per {per:,.0f} lies far outside of what was seen."
        )
