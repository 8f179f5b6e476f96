"""What units share: answers to one item, and items of one cluster, are not independent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..columns import compact, is_blank
from ..intervals import of_few_clusters
from ..records import MeasurementError

__all__ = ["Units", "units_of"]


@dataclass(frozen=True)
class Units:
    """The item and the cluster of each unit, as codes that leave no number out.

    `alone`: each unit is a cluster by itself.
    """

    item: np.ndarray
    cluster: np.ndarray
    alone: bool

    def only(self, kept: np.ndarray) -> "Units":
        """Some of the units."""
        item, cluster = (compact(codes[kept])[1] for codes in (self.item, self.cluster))
        return _checked(Units(item, cluster, self.alone))

    @property
    def n_items(self) -> int:
        """How many items the units are of."""
        return _n_codes(self.item)

    @property
    def n_clusters(self) -> int:
        """How many independent sets the units form."""
        return _n_codes(self.cluster)

    @property
    def drawn(self) -> str:
        """What is drawn again by a bootstrap, for the name of a method."""
        if self.alone:
            return "units"
        return "items" if self.n_clusters == self.n_items else "clusters"

    def few(self) -> Iterable[str]:
        """The warning of few clusters, where units are known to have some."""
        return () if self.alone else of_few_clusters(self.n_clusters, self.n_items)


def units_of(n: int, item: Sequence[Any] | None, cluster: Sequence[Any] | None) -> Units:
    """Units with a value of `item` and of `cluster` each.

    Without `item` each is an item by itself, without `cluster` each item is a cluster.
    """
    items = np.arange(n) if item is None else _coded(item, n, "item")
    clusters = items if cluster is None else _coded(cluster, n, "cluster")
    if len(compact(items, clusters)[0]) > _n_codes(items):
        raise MeasurementError("An item lies in more than one cluster: each belongs to one.")
    return _checked(Units(items, clusters, alone=_n_codes(clusters) == n))


def _checked(units: Units) -> Units:
    if len(units.cluster) > 1 and units.n_items < 2:
        raise MeasurementError("All units are of one item, which tells nothing about others.")
    if len(units.cluster) > 1 and units.n_clusters < 2:
        raise MeasurementError(
            "All units lie in one cluster, which tells nothing about others: use two or more, or"
            " take items for independent."
        )
    return units


def _coded(values: Sequence[Any], n: int, name: str) -> np.ndarray:
    listed = list(values)
    if len(listed) != n:
        raise MeasurementError(f"{name} has {len(listed):,} values for {n:,} units: give one each.")
    place = {value: code for code, value in enumerate(dict.fromkeys(listed))}
    blank = {value for value in place if is_blank(value)}
    if blank:
        empty = sum(value in blank for value in listed)
        raise MeasurementError(f"{name} is empty for {empty:,} units: fill it, or leave them out.")
    return np.fromiter(map(place.__getitem__, listed), np.int64, n)


def _n_codes(codes: np.ndarray) -> int:
    return int(codes.max(initial=-1)) + 1
