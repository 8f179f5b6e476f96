"""Scores in words: to two decimals, differences to three, and large ones to three digits."""

from typing import TYPE_CHECKING, Any

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.core.text.words import counted

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.scores.records import Score

_LARGE, _SMALL = 1000.0, 0.001
_NOISE = 1e-14
MEAN_DECIMALS = 2


def score_words(score: float | str) -> str:
    """`0.53`, `12.40`, `1.2e+09`; words as they are."""
    return score if isinstance(score, str) else _decimals(score, MEAN_DECIMALS)


def difference_words(difference: float | str) -> str:
    """`0.125`, which the words beside it call 12.5 points; `-3.200`; words as they are."""
    if isinstance(difference, str):
        return difference
    return _decimals(difference, 3)


def component_words(value: float | None) -> str:
    """A variance to three digits; nothing where there is none. What a sum of floats leaves is 0."""
    return "" if value is None else f"{0.0 if abs(value) < _NOISE else value:.3g}"


def span_words(ends: tuple[float, float] | None) -> str:
    """`-0.012 to 0.251`; nothing where there are no ends."""
    return "" if ends is None else " to ".join(map(difference_words, ends))


def interval_words(ends: tuple[float, float] | None) -> str:
    """`0.42 to 0.71`; nothing where there are no ends."""
    return "" if ends is None else f"{score_words(ends[0])} to {score_words(ends[1])}"


def mean_with_certainty(score: "Score") -> dict[str, Any]:
    """A mean as a number, its interval, and what it leaves out; nothing where there is none."""
    if score.mean is None:
        return {}
    ends = None if score.low is None or score.high is None else (score.low, score.high)
    items = counted(score.n_items, "item")
    interval = (
        f"{interval_words(ends)} ({100 * score.level:g} %, {items})"
        if ends
        else f"none: {' '.join(score.warnings)}"
    )
    return {
        "mean score": round(score.mean, MEAN_DECIMALS),
        "interval of the mean": interval,
        "left out of the mean": left_out_words(score.left_out),
    }


def scale_words(scale: tuple[float, float] | None) -> str:
    """`0 to 10`."""
    return "not declared" if scale is None else f"{scale[0]:g} to {scale[1]:g}"


def p_words(p: float | None) -> str:
    """`0.034`, `<0.001`; nothing where there is none."""
    return "" if p is None else "<0.001" if p < _SMALL else f"{p:.3f}"


def part_words(part: float | None) -> str:
    """`26 %`."""
    return "" if part is None else f"{100 * part:.0f} %"


def _decimals(value: float, decimals: int) -> str:
    """Never `-0.00`."""
    if abs(value) >= _LARGE:
        return f"{value:.3g}"
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
