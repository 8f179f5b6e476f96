"""Intervals of intraclass correlations."""

import numpy as np

from ..intervals import f_quantile, t_quantile
from ..records import Interval
from .icc_squares import Squares

__all__ = ["clustered_limits", "jackknife", "limits_of"]

DRAWS = 20_000
SEED = 20_260_101


def jackknife(without: np.ndarray) -> float:
    """The standard error of a figure from what it is without each cluster."""
    n = len(without)
    return float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))


def limits_of(squares: Squares, model: str, mean_of: int, level: float) -> Interval:
    """The limits for one rating; for the mean of k, both are stepped up (Spearman-Brown)."""
    units, within, _, rest, n, k = squares
    tail = (1 - level) / 2
    if model == "2":
        low, high = _of_sample(squares, tail)
    else:
        df = n * (k - 1) if model == "1" else (n - 1) * (k - 1)
        f = units / (within if model == "1" else rest)
        least = f / float(f_quantile(tail, n - 1, df))
        most = f * float(f_quantile(tail, df, n - 1))
        low, high = (least - 1) / (least + k - 1), (most - 1) / (most + k - 1)
    return _of_mean(float(low), float(high), mean_of)


def clustered_limits(
    squares: Squares, without: Squares, model: str, mean_of: int, level: float
) -> Interval:
    """As `limits_of`, with the jackknife's spread of log F, the ratio of the mean squares of units.

    Of model 2, the mean square of raters is drawn over chi-square as well, as they are a sample.
    """
    units, within, raters, rest, n, k = squares
    noise = within if model == "1" else rest
    f = np.array([units / noise])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(without.units / (without.within if model == "1" else without.rest))
    spread = jackknife(logs) if np.isfinite(logs).all() else 0.0
    df, tail = len(logs) - 1, (1 - level) / 2
    if model == "2":
        random = np.random.default_rng(SEED)
        f = f * _exp(spread * random.standard_t(df, DRAWS))
        more = np.maximum(raters / rest * (k - 1) / random.chisquare(k - 1, DRAWS) - 1, 0.0) / n
        found = (f - 1) / (f + k - 1 + k * more)
    else:
        half = spread * float(t_quantile(level, df))
        f = f * _exp(np.array([-half, half]))
        found = (f - 1) / (f + k - 1)
    low, high = np.quantile(found, [tail, 1 - tail]) if model == "2" else found
    return _of_mean(float(low), float(high), mean_of)


def _exp(powers: np.ndarray) -> np.ndarray:
    """Beyond these every ratio of mean squares is 0 or endless, and its coefficient an end."""
    return np.exp(np.clip(powers, -50, 50))


def _of_mean(low: float, high: float, mean_of: int) -> Interval:
    """Limits for one rating, stepped up to those for the mean of several (Spearman-Brown)."""
    # A limit at the least that there is has no end when stepped up.
    least = -1 / (mean_of - 1) + 1e-9 if mean_of > 1 else low
    stepped = (
        mean_of * limit / (1 + (mean_of - 1) * limit)
        for limit in (max(low, least), max(high, least))
    )
    return Interval(*stepped) if mean_of > 1 else Interval(low, high)


def _of_sample(squares: Squares, tail: float) -> tuple[float, float]:
    """The generalised interval of Tian & Cappelleri (2004, Statistics in Medicine 23, 2125-2135).

    Mean squares over chi-square draws, seeded, as the components could be. The F interval of
    Fleiss & Shrout (1978) holds the truth in 83 % of studies with four raters and many units.
    """
    units, _, raters, rest, n, k = squares
    random = np.random.default_rng(SEED)

    def drawn(square: float, df: int) -> np.ndarray:
        return square * df / random.chisquare(df, DRAWS)

    of_units, of_raters, of_rest = (
        drawn(units, n - 1),
        drawn(raters, k - 1),
        drawn(rest, (n - 1) * (k - 1)),
    )
    own = (of_units - of_rest) / k
    noise = np.maximum(of_raters - of_rest, 0.0) / n + of_rest
    low, high = np.quantile(own / (own + noise), [tail, 1 - tail])
    return float(low), float(high)
