"""What the estimators return: small frozen records, and the error they raise."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from .rounding import rounding_of

__all__ = ["Bounds", "Difference", "Estimate", "Interval", "MeasurementError", "Scale"]

Scale = tuple[float, float]


class MeasurementError(ValueError):
    """The data, or what is asked of it, allow no estimate. The message says what to do."""

    exit_code = 2


class Interval(NamedTuple):
    """The limits of an interval."""

    low: float
    high: float


class Bounds(NamedTuple):
    """The value if every missing cell had the worst, and if it had the best score of the scale."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A value with its certainty, and what it rests on.

    `n_events` counts the scores used, `n_missing` the cells left out. `bounds` are there where
    the scale is known and cells are missing. `warnings` are sentences to show beside the value.
    """

    value: float
    standard_error: float
    low: float
    high: float
    level: float
    n_events: int
    n_items: int
    n_clusters: int
    method: str
    n_missing: int = 0
    bounds: Bounds | None = None
    warnings: tuple[str, ...] = ()

    @property
    def untold(self) -> tuple[str, ...]:
        """The fields that nobody is shown: without spread both limits are the value itself."""
        wide = self.high - self.low > rounding_of(self.low, self.high)
        return () if wide else ("low", "high")


@dataclass(frozen=True, kw_only=True)
class Difference(Estimate):
    """An estimate of a - b on the items that both have.

    `p` is that of the t test of no difference, adjusted by Holm within a family of comparisons;
    `p_unadjusted` is that of this pair alone. `p_mcnemar` is exact, and null unless scores are
    0 or 1 with one replication. `n_ties` counts the items on which a and b have the same mean.
    """

    a: Hashable
    b: Hashable
    p: float
    p_unadjusted: float
    p_mcnemar: float | None
    n_ties: int
    verdict: str

    @property
    def untold(self) -> tuple[str, ...]:
        """As of any estimate; where all items tie, no p either."""
        none = super().untold
        tie = none and self.n_ties == self.n_items
        return (*none, "p", "p_unadjusted") if tie else none
