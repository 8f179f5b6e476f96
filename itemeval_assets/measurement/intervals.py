"""Quantiles and intervals that several estimators share."""

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from .arguments import checked
from .numeric import LARGEST
from .records import Interval, MeasurementError, Scale

FEW_CLUSTERS = 30
NEAR_END = 0.05
# Between these a level has limits that are finite, and no smaller than a guess.
LEVELS = (0.5, 0.9999)
# Of more coins the normal tail has more than six digits of the exact one.
MANY_COINS = 10**12


def checked_level(level: float) -> float:
    """The level of confidence, a share."""
    least, most = LEVELS
    if not least <= level <= most:
        raise MeasurementError(
            f"level is {level:.16g}: give a share from {least} to {most}, such as 0.95"
        )
    return level


def checked_scale(scale: Scale | None) -> Scale | None:
    """The lowest and the highest score, in this order."""
    if scale is None:
        return None
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (low < high and max(abs(low), abs(high)) <= LARGEST):
        raise MeasurementError(
            f"scale is {scale}: give the lowest and the highest score, as (0, 1)"
        )
    return low, high


def z_quantile(level: float) -> float:
    """The normal quantile of a two-sided interval."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def t_quantile(level: float, df: Any) -> Any:
    """The quantile of Student's t of a two-sided interval."""
    from scipy import special

    return special.stdtrit(df, 0.5 + level / 2)


def t_test_p(t: Any, df: Any) -> Any:
    """The two-sided p of a value of Student's t."""
    from scipy import special

    return 2 * special.stdtr(df, -np.abs(t))


def f_test_p(f: float, df1: float, df2: float) -> float:
    """The upper tail of the F distribution."""
    from scipy import special

    return float(special.fdtrc(df1, df2, f))


def f_quantile(upper: float, df1: Any, df2: Any) -> Any:
    """The value of F that a share `upper` exceeds; `df2` may be infinite."""
    from scipy import special

    df1, df2 = np.broadcast_arrays(np.asarray(df1, float), np.asarray(df2, float))
    chi_square = special.chdtri(df1, upper) / df1
    finite = np.where(np.isfinite(df2), df2, 1.0)
    return np.where(np.isfinite(df2), special.fdtri(df1, finite, 1 - upper), chi_square)


def binomial_p(low: Any, n: Any) -> Any:
    """The two-sided p that `low` or fewer of `n` fair coins show heads, or tails.

    It is exact up to `MANY_COINS`, and of the normal tail above.
    """
    from scipy import special

    low, n = np.asarray(low, dtype=float), np.asarray(n, dtype=float)
    few = n <= MANY_COINS
    exact = special.betainc(np.where(few, n - low, 1.0), np.where(few, low + 1, 1.0), 0.5)
    normal = special.ndtr((2 * low + 1 - n) / np.sqrt(np.maximum(n, 1)))
    return np.minimum(1.0, 2 * np.where(few, exact, normal))


@checked
def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """The score interval of a proportion (Wilson 1927, JASA 22, 209-212).

    Its limits are the proportions that a normal test at this level does not reject. It assumes
    independent answers, and holds also at 0 and at n successes.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise MeasurementError(
            f"{successes:g} of {n:g} is no proportion: give 0 <= successes <= n, and n above 0"
        )
    z = z_quantile(checked_level(level))
    share, weight = successes / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * np.sqrt(share * (1 - share) / n + weight / (4 * n))
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == n else min(1.0, float(centre + half))
    return Interval(low, high)


@lru_cache
def of_few_clusters(n_clusters: int, n_items: int) -> tuple[str, ...]:
    """The warning that goes with an interval of few clusters; items may be clusters each."""
    if n_clusters >= FEW_CLUSTERS:
        return ()
    what = "items" if n_clusters == n_items else "independent clusters"
    return (
        f"Only {n_clusters} {what}: with fewer than {FEW_CLUSTERS} an interval can be too narrow.",
    )
