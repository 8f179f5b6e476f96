"""Differences of item means: what objects have on the same items, pair by pair."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from ..records import Bounds, Scale
from .answers import Answers

__all__ = ["Pairs", "pairs_with", "reasons_against"]

_BLOCK = 4_000_000


@dataclass(frozen=True)
class Pairs:
    """One object against several others: a figure of each pair in each array."""

    others: np.ndarray
    n_items: np.ndarray
    n_clusters: np.ndarray
    n_events: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    n_ties: np.ndarray
    n_better: np.ndarray
    n_worse: np.ndarray
    constant: np.ndarray
    only_first: np.ndarray
    only_other: np.ndarray

    def only(self, kept: np.ndarray) -> "Pairs":
        """Some of the pairs."""
        return Pairs(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})


def pairs_with(answers: Answers, first: int, others: np.ndarray) -> Iterator[Pairs]:
    """The differences of one object to others, in blocks that fit into memory."""
    step = max(1, _BLOCK // answers.mean.shape[1])
    for start in range(0, len(others), step):
        yield _pairs(answers, first, others[start : start + step])


def _pairs(answers: Answers, first: int, others: np.ndarray) -> Pairs:
    mine, theirs = answers.mean[first], answers.mean[others]
    difference = mine - theirs
    both = ~np.isnan(difference)
    n_items = both.sum(axis=1)
    kept = np.where(both, difference, 0.0)
    mean = kept.sum(axis=1) / np.maximum(n_items, 1)
    residual = np.where(both, kept - mean[:, None], 0.0)
    starts = np.flatnonzero(np.diff(answers.cluster, prepend=-1))
    sums = np.add.reduceat(residual, starts, axis=1)
    n_clusters = np.add.reduceat(both, starts, axis=1, dtype=np.int64).astype(bool).sum(axis=1)
    factor = n_clusters / np.maximum(n_clusters - 1, 1)
    tied = answers.rounding
    counted = answers.count[first] + answers.count[others]
    return Pairs(
        others=others,
        n_items=n_items,
        n_clusters=n_clusters,
        n_events=np.where(both, counted, 0).sum(axis=1),
        mean=mean,
        error=np.sqrt(factor * (sums**2).sum(axis=1)) / np.maximum(n_items, 1),
        n_ties=(both & (np.abs(difference) <= tied)).sum(axis=1),
        n_better=(kept > tied).sum(axis=1),
        n_worse=(kept < -tied).sum(axis=1),
        constant=np.all(np.abs(residual) <= tied, axis=1),
        only_first=(~np.isnan(mine) & ~both).sum(axis=1),
        only_other=(~np.isnan(theirs) & ~both).sum(axis=1),
    )


def reasons_against(
    answers: Answers, first: int, pairs: Pairs, scale: Scale | None = None
) -> list[str]:
    """Why each pair cannot be compared; empty where it can. On a scale, with what could be."""
    found = []
    for place, other in enumerate(pairs.others.tolist()):
        n_items, n_clusters = int(pairs.n_items[place]), int(pairs.n_clusters[place])
        reason = _too_few(answers.objects[first], answers.objects[other], n_items, n_clusters)
        bounds = answers.bounds_of(first, pairs.others[[place]], scale)[0] if reason else None
        found.append(f"{reason} {_of_bounds(bounds)}" if bounds else reason)
    return found


def _of_bounds(bounds: Bounds) -> str:
    return (
        "With the worst and the best scores in place of those that are missing, the difference"
        f" lies from {bounds.low:.3g} to {bounds.high:.3g}."
    )


def _too_few(a: object, b: object, n_items: int, n_clusters: int) -> str:
    if n_items < 2:
        few = "no item" if n_items == 0 else "one item"
        return f"{a} and {b} share {few} with a score of both: a comparison needs two or more."
    if n_clusters < 2:
        return (
            f"All items that {a} and {b} share lie in one cluster, which tells nothing about"
            " others: use two or more clusters, or take items for independent."
        )
    return ""
