"""Is a difference smaller than a margin?"""

from ..arguments import checked
from ..intervals import checked_scale
from ..records import Difference, MeasurementError, Scale
from ..rounding import CONSTANT

__all__ = ["within_margin"]


@checked
def within_margin(found: Difference, margin: float, scale: Scale | None = None) -> float:
    """The p of a difference of `margin` or more, either way: twice the larger one-sided p.

    Two one-sided t tests (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15,
    657-680), at half the level each, so that p is below it where the interval lies within the
    margin. Without spread, it is the chance that no cluster shows the items that such a difference
    would need: on a scale only, for they can differ by no more than its width.
    """
    from scipy import special

    scale = checked_scale(scale)
    if margin <= 0:
        raise MeasurementError(f"margin is {margin:g}: give a difference above 0")
    left = margin - abs(found.value)
    if left <= 0:
        return 1.0
    if found.standard_error > CONSTANT:
        df = found.n_clusters - 1
        return float(min(1.0, 2 * special.stdtr(df, -left / found.standard_error)))
    if scale is None:
        return 1.0
    share = left / (scale[1] - scale[0] + abs(found.value))
    return float(min(1.0, 2 * (1 - min(share, 1.0)) ** found.n_clusters))
