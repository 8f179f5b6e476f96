"""What one partition of a design costs, by the numbers of its items and replications."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from itemeval_assets.core.money.projection.estimate import Call, UsdOf, project
from itemeval_assets.stages.projection.foresight import CellTokens

__all__ = ["Amounts", "Part"]

# Of a number of items: how many come first, or the places of those that a time has.
Rows = Callable[[int], "int | np.ndarray"]


class Amounts(NamedTuple):
    """Calls to make; USD expected, or at most where no stored call tells; USD at most.

    Null where a price is not known.
    """

    calls: int
    usd: float | None
    at_most_usd: float | None

    def __add__(self, other: "Amounts") -> "Amounts":  # type: ignore[override]
        return Amounts(
            self.calls + other.calls,
            _plus(self.usd, other.usd),
            _plus(self.at_most_usd, other.at_most_usd),
        )


class _Sums(NamedTuple):
    """Of some cells: how many are called, and the input tokens of these."""

    calls: int
    most: int
    likely: int


@dataclass(frozen=True)
class Part:
    """A partition of known items. Its last replication is one of which nothing is stored.

    `order`: the places of the items as a design takes them. `rows`: which of the first n the
    partition has. `is_anew`: count what is stored, too. `is_once`: an item is called once, whatever
    the number of replications.
    """

    cells: CellTokens
    order: np.ndarray
    rows: Rows
    usd_of: UsdOf
    is_anew: bool = False
    is_once: bool = False

    @property
    def anew(self) -> "Part":
        """The same, of which nothing is stored."""
        return replace(self, is_anew=True)

    def amounts(self, items: int, replications: int) -> Amounts:
        """The ceiling of `estimate` for a study of this size.

        Further replications cost what one without a stored answer does; of an item that is not
        known the tokens are at most those of the largest, and probably those of the mean.
        """
        found = self._sums(items, 1 if self.is_once else replications)
        if not found.calls:
            return Amounts(0, 0.0, 0.0)
        call = Call(found.most, found.calls * self.cells.output, found.likely, found.calls)
        total = project(self.cells.model, [call], self.usd_of, calibration=self.cells.calibration)
        if total.unpriced:
            return Amounts(found.calls, None, None)
        expected = total.usd if total.expected_usd is None else total.expected_usd
        return Amounts(found.calls, expected, total.usd)

    def _sums(self, items: int, replications: int) -> _Sums:
        known, most = len(self.order), self._cells.shape[2]
        rows = self.rows(min(items, known))
        stored = min(replications, most)
        sums = self._of_known(rows, stored) + (replications - stored) * self._of_new(rows)
        further = (items - known) * replications if self._has_all and items > known else 0
        new = self._new
        return _Sums(
            int(sums[0]) + further,
            int(sums[1]) + further * int(new[1].max()),
            int(sums[2]) + further * round(float(new[2].mean())),
        )

    @property
    def _has_all(self) -> bool:
        return self.is_once or bool(self.cells.has.all())

    @cached_property
    def _cells(self) -> np.ndarray:
        """int64[3, items, replications]: calls, tokens at most, tokens probably."""
        # Of fewer items others are anchors: nothing of those is stored.
        paid = self.cells.paid | ~self.cells.has | self.is_anew
        values = [paid, self.cells.most_input * paid, self.cells.likely_input * paid]
        return np.array([one.reshape(len(self.order), -1)[self.order] for one in values], np.int64)

    @cached_property
    def _new(self) -> np.ndarray:
        """int64[3, items]: of one more replication."""
        tokens = self.cells.most_input, self.cells.likely_input
        last = [one.reshape(len(self.order), -1)[self.order, -1] for one in tokens]
        return np.array([np.ones(len(self.order)), *last], np.int64)

    @cached_property
    def _cells_before(self) -> np.ndarray:
        found = np.pad(self._cells, ((0, 0), (1, 0), (1, 0)))
        return found.cumsum(axis=1).cumsum(axis=2)

    @cached_property
    def _new_before(self) -> np.ndarray:
        return np.pad(self._new, ((0, 0), (1, 0))).cumsum(axis=1)

    def _of_known(self, rows: "int | np.ndarray", replications: int) -> np.ndarray:
        if isinstance(rows, int):
            return self._cells_before[:, rows, replications]
        return self._cells[:, rows, :replications].sum(axis=(1, 2))

    def _of_new(self, rows: "int | np.ndarray") -> np.ndarray:
        return (
            self._new_before[:, rows] if isinstance(rows, int) else self._new[:, rows].sum(axis=1)
        )


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
