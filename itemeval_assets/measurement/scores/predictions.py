"""A mean of labels that people gave, made surer by a judge that scored many more answers."""

from collections.abc import Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import checked
from ..columns import counted
from ..intervals import checked_level, t_quantile, wilson_interval
from ..numeric import as_numbers
from ..records import Estimate, MeasurementError
from ..rounding import is_constant, rounding_of

__all__ = ["FEW_LABELS", "expected_half_width", "prediction_powered_mean"]

# Of fewer the interval may be too narrow: see the table of coverage.
FEW_LABELS = 50


@checked
def prediction_powered_mean(
    labels: Any, judged: Any, judged_only: Any, *, level: float = 0.95
) -> Estimate:
    """The mean that people would give to all answers, from their labels of a few (PPI++).

    `labels`: what people gave to n answers; `judged`: what the judge gave to the same, in the same
    order; `judged_only`: what it gave to N others. With the weight w the estimate is

        mean(labels) + w (mean(judged_only) - mean(judged))

    so a judge that is too kind by the same amount everywhere changes nothing. The weight is the one
    of the least variance, cov(Y, f) / ((1 + n/N) var f) of Angelopoulos, Duchi & Zrnic (2023,
    arXiv:2311.01453): a judge that says nothing about the labels has the weight 0, and the mean of
    the labels is left. The variance is var(Y - w f) / n + w^2 var(f) / N. The interval is Student's
    t, with n - 1 degrees of freedom or fewer where a few labels make up the variance; of labels 0
    and 1 that are left alone, Wilson's.

    It assumes that the labelled answers were drawn at random from all, and that answers are
    independent. Where items have several answers, give one mean for each item.
    """
    checked_level(level)
    scores = _Scores(*_checked(labels, judged, judged_only))
    n, more = len(scores.labels), len(scores.others)
    weight = scores.weight(n)
    value = float(scores.labels.mean() + (weight * scores.correction if weight else 0.0))
    error = scores.error(weight, n)
    low, high, method = _limits(scores, weight, value, error, level)
    said = [
        f"Only {counted(n, 'label')}: with fewer than {FEW_LABELS} an interval can be too narrow."
    ] * (n < FEW_LABELS)
    said += ["The labels have no spread: no interval."] * bool(low == high)
    return Estimate(
        value=value,
        standard_error=error,
        low=low,
        high=high,
        level=level,
        n_events=2 * n + more,
        n_items=n + more,
        n_clusters=n + more,
        method=f"PPI++, weight of the judge {weight:.3g}; {method}",
        warnings=tuple(said),
    )


def expected_half_width(
    labels: np.ndarray, judged: np.ndarray, judged_only: np.ndarray, n: int, level: float
) -> float:
    """Half of the width that the interval would have with `n` labels in all, as these vary.

    The answers stay as many as they are: a further label makes one of `judged_only` less.
    """
    scores = _Scores(labels, judged, judged_only)
    return scores.half_width(scores.weight(n), n, level)


@dataclass(frozen=True)
class _Scores:
    """Labels, the scores of the judge beside them, and its scores of `others`.

    Methods are for n labels that vary as these do.
    """

    labels: np.ndarray
    judged: np.ndarray
    others: np.ndarray

    @property
    def correction(self) -> float:
        """How far the judge scores the labelled answers below the others."""
        return float(self.others.mean() - self.judged.mean())

    @cached_property
    def variance(self) -> float:
        """How the judge's scores vary; 0 where they do not, beside labels or in all."""
        everything = np.concatenate([self.judged, self.others])
        is_flat = is_constant(self.judged) or is_constant(everything)
        return 0.0 if is_flat else float(np.var(everything, ddof=1))

    def more(self, n: int) -> int:
        """The answers that are left to the judge."""
        return max(len(self.labels) + len(self.others) - n, 0)

    def weight(self, n: int) -> float:
        """How much the judge counts beside n labels: the weight of the least variance."""
        if not (self.more(n) and self.variance):
            return 0.0
        together = float(np.cov(self.labels, self.judged)[0, 1])
        return together / ((1 + n / self.more(n)) * self.variance)

    def error(self, weight: float, n: int) -> float:
        """The standard error with this weight."""
        of_others = weight**2 * self.variance / self.more(n) if weight else 0.0
        return float(np.sqrt(self._of_labels(weight) / n + of_others))

    def half_width(self, weight: float, n: int, level: float) -> float:
        """Half of the width of the interval.

        The variance of what the judge leaves of the labels is little known where a few labels make
        it up: Student's t has the degrees of freedom of its kurtosis (Satterthwaite 1946). The
        weight takes one more.
        """
        error = self.error(weight, n)
        degrees = self._degrees(weight, n, error)
        spent = np.sqrt((n - 1) / (n - 2)) if weight and n > 2 else 1.0
        return float(t_quantile(level, degrees) * error * spent)

    def _degrees(self, weight: float, n: int, error: float) -> float:
        of_labels = self._of_labels(weight) / n
        if of_labels <= 0:
            return n - 1
        found = 2 * n / max(self._kurtosis(weight) - 1, 2.0) * (error**2 / of_labels) ** 2
        return min(max(found, 2.0), n - 1)

    def _of_labels(self, weight: float) -> float:
        return float(np.var(self.labels - weight * self.judged, ddof=1))

    def _kurtosis(self, weight: float) -> float:
        left = self.labels - weight * self.judged
        squares = (left - left.mean()) ** 2
        return float((squares**2).mean() / squares.mean() ** 2)


def _limits(
    scores: _Scores, weight: float, value: float, error: float, level: float
) -> tuple[float, float, str]:
    labels, n = scores.labels, len(scores.labels)
    if not weight and np.isin(labels, (0.0, 1.0)).all():
        low, high = wilson_interval(float(labels.sum()), n, level)
        return low, high, "Wilson"
    if error <= rounding_of(value - 1, value + 1):
        return value, value, "no spread"
    half = scores.half_width(weight, n, level)
    return value - half, value + half, "t"


def _checked(labels: Any, judged: Any, judged_only: Any) -> tuple[np.ndarray, ...]:
    given = {"labels": labels, "judged": judged, "judged_only": judged_only}
    found = [_numbers(name, values) for name, values in given.items()]
    n, same = len(found[0]), len(found[1])
    if n != same:
        raise MeasurementError(
            f"labels has {n:,} values and judged {same:,}: give the judge's score of each labelled"
            " answer, in the same order."
        )
    if n < 2:
        raise MeasurementError(
            f"{counted(n, 'label')} cannot tell how far the judge is off: give two or more."
        )
    return tuple(found)


def _numbers(name: str, values: Any) -> np.ndarray:
    if isinstance(values, Sized) and len(values) == 0:
        return np.zeros(0)
    found = as_numbers(values)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise MeasurementError(f"{name} must be a list of finite numbers, one for each answer.")
    return found
