"""What missing cells can change: the mean with all of them worst, and with all of them best."""

from dataclasses import replace

import numpy as np

from ..events import Events
from ..records import Bounds, Scale
from .cells import item_means

__all__ = ["bounds_of"]


def bounds_of(events: Events, absent: np.ndarray, scale: Scale) -> dict[int, Bounds]:
    """By the code of each group that misses cells (Manski 1989, Journal of Human Resources 24).

    A row with an empty score is a cell of its item. `absent` counts the cells without a row. They
    weigh as much as the cells around them.
    """
    n_groups = len(events.groups)
    empty = np.bincount(events.group, np.isnan(events.score), minlength=n_groups)
    low, high = (_filled_means(events, absent, end) for end in scale)
    codes = np.flatnonzero(empty + absent)
    return {int(code): Bounds(float(low[code]), float(high[code])) for code in codes}


def _filled_means(events: Events, absent: np.ndarray, end: float) -> np.ndarray:
    """The mean by group, with `end` in the place of each missing score."""
    n_groups = len(events.groups)
    filled = replace(events, score=np.where(np.isnan(events.score), end, events.score))
    cells = item_means(filled)
    n_items = np.bincount(cells.group, minlength=n_groups)
    of_items = np.bincount(cells.group, cells.mean, n_groups) / np.maximum(n_items, 1)
    n_events = np.bincount(events.group, minlength=n_groups)
    of_events = np.bincount(events.group, filled.score, n_groups) / np.maximum(n_events, 1)
    most = np.zeros(n_groups, dtype=np.int64)
    np.maximum.at(most, cells.group, cells.count)
    # Where the absent cells complete the items, each cell of the design weighs the same.
    mean = np.where(n_items * most - n_events <= absent, of_events, of_items)
    return (n_events * mean + absent * end) / np.maximum(n_events + absent, 1)
