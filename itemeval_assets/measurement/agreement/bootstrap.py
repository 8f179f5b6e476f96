"""Intervals by drawing units again: seeded, and the same for any order of the units."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..intervals import t_quantile, wilson_interval
from ..records import Interval, MeasurementError

__all__ = ["bootstrap_error", "clustered_error", "of_perfect", "t_limits"]

DRAWS = 1_000
SEED = 20_260_101
_BLOCK = 2_000_000


def bootstrap_error(counts: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> float:
    """The standard error of a statistic of n units (Efron 1979, Annals of Statistics 7, 1-26).

    `counts` says how many units show each pattern; `statistic` maps draws x patterns of such
    counts to a value each, NaN where a draw allows none. The factor n/(n-1) makes up for drawing
    from the sample.
    """
    n = int(counts.sum())
    random = np.random.default_rng(SEED)
    step = max(1, min(DRAWS, _BLOCK // len(counts)))
    drawn = [
        statistic(random.multinomial(n, counts / n, size=min(step, DRAWS - start)))
        for start in range(0, DRAWS, step)
    ]
    return _error(np.concatenate(drawn), n)


def clustered_error(
    pattern: np.ndarray, cluster: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]
) -> float:
    """As `bootstrap_error`, drawing whole clusters again: `pattern` and `cluster` of each unit."""
    from scipy import sparse

    cells = (np.ones(len(pattern)), (cluster, pattern))
    shown: Any = sparse.csr_matrix(cells, shape=(int(cluster.max()) + 1, int(pattern.max()) + 1))
    n, n_patterns = shown.shape
    random = np.random.default_rng(SEED)
    step = max(1, min(DRAWS, _BLOCK // max(n, n_patterns)))
    drawn = [
        statistic(
            np.asarray(random.multinomial(n, np.full(n, 1 / n), min(step, DRAWS - start)) @ shown)
        )
        for start in range(0, DRAWS, step)
    ]
    return _error(np.concatenate(drawn), n)


def _error(values: np.ndarray, n: int) -> float:
    values = values[np.isfinite(values)]
    if len(values) < DRAWS / 2:
        raise MeasurementError(
            "Most draws of the units show one category only: too little varies for an interval."
        )
    return float(np.sqrt(n / (n - 1)) * values.std())


def t_limits(value: float, error: float, n_units: int, level: float) -> Interval:
    """The value and its error times Student's t with n-1 degrees of freedom, cut at 1."""
    half = float(error * t_quantile(level, n_units - 1))
    return Interval(value - half, min(1.0, value + half))


def of_perfect(n_units: int, raters: float, differ: float, level: float) -> Interval:
    """The interval where no unit shows a disagreement.

    As many units as Wilson's interval of 0 of n allows could have one rating that differs. `raters`
    is their number by unit, `differ` the share of pairs that would differ by chance.
    """
    most = wilson_interval(0, n_units, level).high
    return Interval(max(-1.0, 1 - most * 2 / raters / differ), 1.0)
