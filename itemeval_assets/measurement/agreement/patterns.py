"""Patterns of ratings: units that are rated alike are counted, and looked at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..columns import compact, is_empty
from ..numeric import require_measurable
from ..records import MeasurementError

__all__ = ["Level", "Patterns", "patterns_of"]

Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True)
class Patterns:
    """Distinct patterns of ratings, sorted within and among them, and how many units show each."""

    level: Level
    values: np.ndarray
    codes: np.ndarray
    counts: np.ndarray

    @cached_property
    def ratings_by_unit(self) -> np.ndarray:
        return (self.codes >= 0).sum(axis=1)

    @cached_property
    def by_value(self) -> Any:
        """Value x pattern: how many ratings, as a sparse matrix."""
        from scipy import sparse

        row, column = np.nonzero(self.codes >= 0)
        entries = (np.ones(len(row)), (self.codes[row, column], row))
        return sparse.csr_matrix(entries, shape=(len(self.values), len(self.codes)))

    @cached_property
    def differ(self) -> float:
        """The share of pairs of ratings that differ, over all units."""
        totals = self.by_value @ self.counts
        n = totals.sum()
        return float((n * n - (totals**2).sum()) / (n * (n - 1)))

    def alpha(self, counts: np.ndarray) -> np.ndarray:
        """One alpha for each row of counts of the patterns; NaN where all ratings are the same."""
        if self.level == "interval":
            return self._of_moments(counts)
        totals = np.asarray((self.by_value @ counts.T).T)
        n = totals.sum(axis=1)
        if self.level == "ordinal":
            # The squared distance of two ranks is the one that Krippendorff defines.
            marks = np.cumsum(totals, axis=1) - totals / 2
            observed = np.einsum("bu,bu->b", counts, self._disagreement(marks))
        else:
            marks = self.values[None, :]
            observed = (counts * self._disagreement(marks)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - observed * (n - 1) / self._expected(marks, totals, n)

    def _of_moments(self, counts: np.ndarray) -> np.ndarray:
        """As `alpha`, for squared differences: from sums by unit, as values may be many."""
        values = np.where(self.codes >= 0, self.values[self.codes], 0.0)
        m, sums, squares = self.ratings_by_unit, values.sum(axis=1), (values**2).sum(axis=1)
        observed = counts @ (2 * (m * squares - sums**2) / (m - 1))
        n, total = counts @ m, counts @ sums
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - observed * (n - 1) / (2 * (n * (counts @ squares) - total**2))

    def _disagreement(self, marks: np.ndarray) -> np.ndarray:
        """Rows x patterns: the squared distances of the pairs of a unit, each by m - 1."""
        found = np.zeros((len(marks), len(self.codes)))
        width = self.codes.shape[1]
        for one in range(width):
            for other in range(one + 1, width):
                both = (self.codes[:, one] >= 0) & (self.codes[:, other] >= 0)
                x, y = marks[:, self.codes[both, one]], marks[:, self.codes[both, other]]
                found[:, both] += 2 * self._distance(x, y)
        return found / (self.ratings_by_unit - 1)

    def _distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.level == "nominal":
            return (x != y).astype(float)
        if self.level == "ratio":
            size = x + y
            return np.divide(x - y, size, out=np.zeros_like(size), where=size != 0) ** 2
        return (x - y) ** 2

    def _expected(self, marks: np.ndarray, totals: np.ndarray, n: np.ndarray) -> np.ndarray:
        """The sum of squared distances over all pairs of ratings."""
        if self.level == "nominal":
            return n**2 - (totals**2).sum(axis=1)
        if self.level == "ratio":
            values = self.values
            distance = self._distance(values[:, None], values[None, :])
            return ((totals @ distance) * totals).sum(axis=1)
        sums = (totals * marks).sum(axis=1)
        return 2 * (n * (totals * marks**2).sum(axis=1) - sums**2)


def patterns_of(ratings: Any, level: Level) -> tuple[Patterns, np.ndarray, np.ndarray]:
    """The patterns of units with two ratings or more; which units these are, and their pattern."""
    try:
        table: np.ndarray = np.asarray(ratings)
    except ValueError:
        table = np.zeros((0, 0))
    if table.dtype.kind == "c":
        raise MeasurementError("Ratings are complex numbers, which have no order: take real ones.")
    if table.ndim != 2 or table.shape[0] < 2 or not table.shape[1]:
        raise MeasurementError(
            "ratings is raters x units: give at least two raters and one unit,"
            " and as many units of each rater."
        )
    missing = _is_missing(table)
    try:
        values, places = np.unique(table[~missing], return_inverse=True)
        if level != "nominal":
            values = values.astype(float)
    except (TypeError, ValueError) as error:
        raise MeasurementError(
            f"Ratings for {level} are numbers; for nominal they are of one kind: {error}."
        ) from error
    if level != "nominal":
        require_measurable(values, "There are ratings")
    if level == "ratio" and len(values) and values.min() < 0:
        raise MeasurementError("Ratings on a ratio scale are 0 or more: use level='interval'.")
    codes = np.full(table.shape, -1, dtype=np.int64)
    codes[~missing] = places
    codes = np.sort(codes.T, axis=1)
    paired = (codes >= 0).sum(axis=1) >= 2
    used = codes[paired]
    if len(used) < 2 or len(np.unique(used[used >= 0])) < 2:
        raise MeasurementError(
            "Alpha is not defined: it needs two units with two ratings each, and ratings that are"
            f" not all the same. {len(used):,} units have two ratings."
        )
    pattern = np.zeros(len(used), dtype=np.int64)
    for column in used.T:
        _, pattern = compact(pattern, column + 1)
    counts = np.bincount(pattern)
    patterns = np.empty((len(counts), used.shape[1]), dtype=np.int64)
    patterns[pattern] = used
    marks = np.arange(len(values), dtype=float) if level == "nominal" else values
    if level == "interval":
        marks = marks - marks.mean()
    return Patterns(level, marks, patterns, counts), paired, pattern


def _is_missing(table: np.ndarray) -> np.ndarray:
    if table.dtype.kind == "f":
        return np.isnan(table)
    if table.dtype.kind == "O":
        return np.array([[is_empty(value) for value in row] for row in table])
    return np.zeros(table.shape, dtype=bool)
