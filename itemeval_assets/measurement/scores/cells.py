"""Means of items, and means of them that know their clusters."""

from dataclasses import dataclass

import numpy as np

from ..columns import compact
from ..events import Events
from ..rounding import offset_of

__all__ = ["Cells", "clustered_means", "item_means"]


@dataclass(frozen=True)
class Cells:
    """One row per group x item, sorted: the mean of its events, and their number."""

    group: np.ndarray
    item: np.ndarray
    mean: np.ndarray
    count: np.ndarray


def item_means(events: Events) -> Cells:
    """The mean of each group on each of its items, of events with a score."""
    keys, places = compact(events.group, events.item)
    count = np.bincount(places)
    offset = offset_of(events.score)
    mean = offset + np.bincount(places, weights=events.score - offset) / count
    width = int(events.item.max()) + 1
    return Cells(keys // width, keys % width, mean, count)


def clustered_means(
    group: np.ndarray, cluster: np.ndarray, values: np.ndarray, n_groups: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each group: number of values, mean, standard error, number of clusters.

    The squared error is C/(C-1) times the sum over clusters of the squared sums of residuals,
    divided by the squared number of values. A group of one cluster gets 0, which callers refuse.
    """
    n = np.bincount(group, minlength=n_groups)
    offset = offset_of(values)
    values = values - offset
    mean = np.bincount(group, weights=values, minlength=n_groups) / np.maximum(n, 1)
    keys, places = compact(group, cluster)
    sums = np.bincount(places, weights=values - mean[group])
    owner = keys // (int(cluster.max()) + 1)
    n_clusters = np.bincount(owner, minlength=n_groups)
    squares = np.bincount(owner, weights=sums**2, minlength=n_groups)
    factor = n_clusters / np.maximum(n_clusters - 1, 1)
    return n, offset + mean, np.sqrt(factor * squares) / np.maximum(n, 1), n_clusters
