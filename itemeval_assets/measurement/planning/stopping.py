"""When to stop buying: an interval that may be looked at until it is narrow enough."""

from dataclasses import dataclass
from math import sqrt

from ..arguments import checked
from ..intervals import checked_level, checked_scale, t_quantile
from ..records import Estimate, MeasurementError, Scale
from .designs import MOST_ITEMS

# Before so many clusters a variance is too little known to stop by.
FIRST_LOOK = 30
# Clusters that could differ by the whole scale, beside those that were seen.
_UNSEEN = 4.0


@dataclass(frozen=True)
class Precision:
    """An estimate at one look, with its interval.

    `needed`: about so many clusters in all reach the target, by what varies so far; null: more
    than a million do.
    """

    value: float
    low: float
    high: float
    half_width: float
    target: float
    level: float
    is_reached: bool
    needed: int | None


@checked
def precision(
    found: Estimate, half_width: float, *, scale: Scale | None = None, level: float | None = None
) -> Precision:
    """Whether an estimate is as narrow as `half_width`, at this look of many.

    The rule of Chow & Robbins (1965, Annals of Mathematical Statistics 36, 457-462): stop at the
    first look, of 30 clusters or more, at which t sqrt(V / C) is `half_width` or less, for C
    clusters of variance V. It holds because the rule sees how much scores vary, and not what they
    are: who stops for another reason, as a p or a verdict, has no such interval. V has 4 w^2 / C
    on top for a scale of width w: few differences vary little until the first large one is seen.
    """
    scale = checked_scale(scale)
    level = checked_level(found.level if level is None else level)
    if half_width <= 0:
        raise MeasurementError(f"half_width is {half_width:g}: give one above 0, such as 0.02")
    width = scale[1] - scale[0] if scale else 0.0
    if scale and half_width >= width:
        raise MeasurementError(
            f"half_width is {half_width:g}, and the scale is {scale[0]:g} to {scale[1]:g}: any"
            " estimate is as narrow; give it in units of the score"
        )
    if found.n_clusters < 2:
        raise MeasurementError("One cluster tells nothing about others: a look needs two or more.")
    variance, unseen = found.standard_error**2 * found.n_clusters, _UNSEEN * width**2
    half = _half(found.n_clusters, variance, unseen, level)
    return Precision(
        value=found.value,
        low=found.value - half,
        high=found.value + half,
        half_width=half,
        target=half_width,
        level=level,
        is_reached=found.n_clusters >= FIRST_LOOK and half <= half_width,
        needed=_needed(half_width, variance, unseen, level),
    )


def _half(n: int, variance: float, unseen: float, level: float) -> float:
    return float(t_quantile(level, n - 1)) * sqrt((variance + unseen / n) / n)


def _needed(target: float, variance: float, unseen: float, level: float) -> int | None:
    low, high = FIRST_LOOK, MOST_ITEMS
    if _half(high, variance, unseen, level) > target:
        return None
    while low < high:
        middle = (low + high) // 2
        reached = _half(middle, variance, unseen, level) <= target
        low, high = (low, middle) if reached else (middle + 1, high)
    return low
