"""A mean of labels that people gave, made surer by a judge that scored many more answers."""

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
    the labels is left. The variance is var(Y - w f) / n + w^2 var(f) / N, the interval Student's t
    with n - 1 degrees of freedom; of 0 and 1, all alike, it is Wilson's of the labels.

    It assumes that the labelled answers were drawn at random from all, and that answers are
    independent. Where items have several answers, give one mean for each item.
    """
    checked_level(level)
    y, f, others = _checked(labels, judged, judged_only)
    n, more = len(y), len(others)
    of_judge = _variance(f, others)
    weight = _weight(y, f, of_judge, n, more)
    value = float(y.mean() + (weight * (others.mean() - f.mean()) if weight else 0.0))
    error = _error(y - weight * f, of_judge, weight, n, more)
    low, high, method = _limits(y, value, error, level)
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
    more = max(len(labels) + len(judged_only) - n, 0)
    of_judge = _variance(judged, judged_only)
    weight = _weight(labels, judged, of_judge, n, more)
    return float(
        t_quantile(level, n - 1) * _error(labels - weight * judged, of_judge, weight, n, more)
    )


def _variance(judged: np.ndarray, judged_only: np.ndarray) -> float:
    """How the scores of a judge vary; 0 where they do not, beside labels or in all."""
    everything = np.concatenate([judged, judged_only])
    is_flat = is_constant(judged) or is_constant(everything)
    return 0.0 if is_flat else float(np.var(everything, ddof=1))


def _weight(labels: np.ndarray, judged: np.ndarray, of_judge: float, n: int, more: int) -> float:
    """How much the judge counts beside n labels: the weight of the least variance."""
    if not (more and of_judge):
        return 0.0
    return float(np.cov(labels, judged)[0, 1]) / ((1 + n / more) * of_judge)


def _error(residuals: np.ndarray, of_judge: float, weight: float, n: int, more: int) -> float:
    """The standard error of n labels beside `more` scores, from what the judge leaves of labels."""
    of_others = weight**2 * of_judge / more if more else 0.0
    return float(np.sqrt(np.var(residuals, ddof=1) / n + of_others))


def _limits(
    labels: np.ndarray, value: float, error: float, level: float
) -> tuple[float, float, str]:
    n, only = len(labels), float(labels[0])
    if error <= rounding_of(value - 1, value + 1):
        if only in (0.0, 1.0) and (labels == only).all():
            low, high = wilson_interval(only * n, n, level)
            return low, high, "Wilson"
        return value, value, "no spread"
    half = t_quantile(level, n - 1) * error
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
    if len(values) == 0:
        return np.zeros(0)
    found = as_numbers(values)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise MeasurementError(f"{name} must be a list of finite numbers, one for each answer.")
    return found
