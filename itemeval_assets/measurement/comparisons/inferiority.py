"""Is one worse than another by more than a margin: paired non-inferiority."""

from dataclasses import dataclass
from math import ceil, log
from typing import Literal

from ..arguments import checked, is_whole
from ..intervals import checked_scale
from ..records import Difference, MeasurementError, Scale
from ..rounding import CONSTANT

__all__ = ["Inferiority", "inferiority", "items_of_no_spread"]

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Inferiority:
    """Whether a is worse than b by more than `margin`.

    `low` and `high` are one-sided bounds of a - b, each at its own level; null where items without
    spread have no declared scale.
    """

    verdict: Verdict
    value: float
    low: float | None
    high: float | None
    margin: float
    level: float


@checked
def inferiority(
    found: Difference,
    margin: float,
    *,
    scale: Scale | None = None,
    level: float | None = None,
    n_metrics: int = 1,
) -> Inferiority:
    """PASS: the lower bound of a - b is above -margin. FAIL: the upper bound is below -margin.

    Both are one-sided bounds of the paired t test at `level`, by default that of `found`
    (non-inferiority: Blackwelder 1982, Controlled Clinical Trials 3, 345-353). Of `n_metrics` that
    all must pass, PASS needs no adjustment (Berger 1982, Technometrics 24, 295-300), and FAIL, of
    any of them, has Bonferroni's. Without spread the bounds are those of the share of items that
    could differ otherwise, by the whole scale: (1 - share)^clusters = 1 - level.
    """
    scale = checked_scale(scale)
    level = found.level if level is None else level
    if margin <= 0:
        raise MeasurementError(f"margin is {margin:g}: give a difference above 0, such as 0.02")
    if scale and margin >= scale[1] - scale[0]:
        raise MeasurementError(
            f"margin is {margin:g}, and the scale is {scale[0]:g} to {scale[1]:g}: no difference is"
            " larger; give it in units of the score"
        )
    if not 0 < level < 1:
        raise MeasurementError(f"level is {level:g}: give a share above 0 and below 1, as 0.95")
    if not is_whole(n_metrics, 1):
        raise MeasurementError(f"n_metrics is {n_metrics}: give a whole number, 1 or more")
    low = _bound(found, scale, 1 - level, -1)
    high = _bound(found, scale, (1 - level) / n_metrics, 1)
    verdict: Verdict = "INCONCLUSIVE"
    if low is not None and low > -margin:
        verdict = "PASS"
    elif high is not None and high < -margin:
        verdict = "FAIL"
    return Inferiority(verdict, found.value, low, high, margin, level)


def _bound(found: Difference, scale: Scale | None, alpha: float, side: int) -> float | None:
    """The bound that the true difference lies beyond in at most a share `alpha` of studies."""
    from scipy import special

    if found.standard_error > CONSTANT:
        t = float(special.stdtrit(found.n_clusters - 1, 1 - alpha))
        return found.value + side * t * found.standard_error
    if scale is None:
        return None
    share = 1 - alpha ** (1 / found.n_clusters)
    return (1 - share) * found.value + share * side * (scale[1] - scale[0])


@checked
def items_of_no_spread(
    found: Difference, margin: float, scale: Scale | None, alpha: float
) -> int | None:
    """The items, all with the same difference, whose bound does not reach the margin.

    Null where that difference is the margin itself, or no scale is declared.
    """
    scale = checked_scale(scale)
    left = abs(found.value + margin)
    if scale is None or left <= CONSTANT:
        return None
    side = 1 if found.value > -margin else -1
    share = left / (scale[1] - scale[0] + side * found.value)
    clusters = ceil(log(alpha) / log(1 - share)) + 1
    return ceil(clusters * found.n_items / found.n_clusters)
