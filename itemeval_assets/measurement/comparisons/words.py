"""What a comparison found, as a sentence."""

from ..records import Scale

__all__ = ["verdict"]


def verdict(
    a: object,
    b: object,
    *,
    value: float,
    low: float,
    high: float,
    n_items: int,
    different: bool,
    scale: Scale | None,
    family: str = "",
    of_graders: bool = False,
) -> str:
    """Say which is better and by how much, or that the items cannot tell.

    Scores from 0 to 1 are told in points of a hundred, others as they are. A grader is not better
    than another for its higher scores.
    """
    if different and value < 0:
        value, low, high, word = -value, -high, -low, "worse"
    else:
        word = "better"
    limits = f"{_figure(low, scale)} to {_figure(high, scale)}"
    if different:
        amount = f"{_figure(value, scale)}{_unit(scale)}"
        limits = "no interval" if low == high else limits
        if of_graders:
            gives = f"gives {'higher' if word == 'better' else 'lower'} scores than"
            return f"{a} {gives} {b}: by {amount} ({limits}, {n_items:,} items{family})."
        return f"{a} is {amount} {word} than {b} ({limits}, {n_items:,} items{family})."
    if value == low == high == 0:
        return f"Too close to call: {a} and {b} have the same score on all {n_items:,} items."
    # The interval is that of a single pair, and the family asks for more.
    alone = "" if low <= 0 <= high else " for this pair alone"
    amount = f"{_figure(value, scale)}{_unit(scale)}, {limits}{alone}{family}"
    return f"Too close to call: {n_items:,} items cannot tell {a} from {b} ({amount})."


def _figure(value: float, scale: Scale | None) -> str:
    if scale == (0.0, 1.0):
        return f"{100 * value + 0.0:.1f}"
    return f"{value + 0.0:.3g}"


def _unit(scale: Scale | None) -> str:
    if scale is None:
        return ""
    return " points" if scale == (0.0, 1.0) else f" on the scale {scale[0]:g} to {scale[1]:g}"
