"""What adding up leaves: sums that err little, and how far apart two of them may still be equal."""

from typing import Any

import numpy as np

__all__ = ["CONSTANT", "is_constant", "offset_of", "rounding_of"]

# Of two sums of the same scores in another order, by how far the scores lie apart.
CONSTANT = 1e-12
# Of a mean, by its size: a unit in the last place on each side.
_LAST_PLACES = 4 * float(np.finfo(float).eps)


def offset_of(values: np.ndarray) -> float:
    """What to take off values before they are added up.

    It is the value nearest to 0 where all others have its sign and at most twice its size: then the
    differences are exact (Sterbenz 1974, Floating-point computation), and their sums err by their
    own size only. Else it is 0.
    """
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if low > 0 and high <= 2 * low:
        return low
    return high if high < 0 and low >= 2 * high else 0.0


def rounding_of(low: Any, high: Any) -> Any:
    """Up to how far apart two means are the same, of scores from `low` to `high`."""
    size = np.maximum(np.abs(low), np.abs(high))
    return CONSTANT * np.maximum(1.0, np.subtract(high, low)) + _LAST_PLACES * size


def is_constant(values: np.ndarray) -> bool:
    """Whether values differ by no more than the error of adding them up."""
    low, high = float(values.min()), float(values.max())
    return high - low <= rounding_of(low, high)
