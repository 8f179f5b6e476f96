"""What a difference would be if missing cells had the worst or the best score."""

from dataclasses import dataclass

import numpy as np

from ..events import Events
from ..records import Bounds, Scale

__all__ = ["Filled", "filled_of"]


@dataclass(frozen=True)
class Filled:
    """Objects x items, of all items with a row: sum and number of scores, and of missing ones."""

    item: np.ndarray
    total: np.ndarray
    count: np.ndarray
    empty: np.ndarray

    def bounds_of(self, first: int, others: np.ndarray, scale: Scale) -> list[Bounds | None]:
        """Each difference if missing cells had the worst for the first and the best for the other.

        And the reverse. On items of which both have rows; null where neither misses one, or where
        there is no such item.
        """
        low, high = (self._means(np.append(others, first), end) for end in scale)
        least, most = low[-1] - high[:-1], high[-1] - low[:-1]
        n = (~np.isnan(least)).sum(axis=1)
        misses = self.empty[others].any(axis=1) | self.empty[first].any()
        ends = (np.nansum(part, axis=1) / np.maximum(n, 1) for part in (least, most))
        return [
            Bounds(*both) if known else None
            for known, *both in zip(misses & (n > 0), *(end.tolist() for end in ends), strict=True)
        ]

    def only_items(self, items: np.ndarray) -> "Filled":
        """The same of some items."""
        inside = np.isin(self.item, items)
        parts = (self.total, self.count, self.empty)
        return Filled(self.item[inside], *(part[:, inside] for part in parts))

    def _means(self, places: np.ndarray, end: float) -> np.ndarray:
        n = self.count[places] + self.empty[places]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.total[places] + self.empty[places] * end) / n


def filled_of(events: Events, present: np.ndarray) -> Filled:
    """Of the groups that are present."""
    row_of = np.full(len(events.groups), -1)
    row_of[present] = np.arange(len(present))
    known = np.flatnonzero(row_of[events.group] >= 0)
    items, column = np.unique(events.item[known], return_inverse=True)
    shape = len(present), len(items)
    place = row_of[events.group[known]] * shape[1] + column
    score = events.score[known]
    total, count, empty = (
        np.bincount(place, weights, shape[0] * shape[1]).reshape(shape)
        for weights in (np.nan_to_num(score), ~np.isnan(score), np.isnan(score))
    )
    return Filled(items, total, count, empty)
