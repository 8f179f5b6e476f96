"""Scales: the lowest and the highest score."""

import sys
from typing import Any

_LARGEST = sys.float_info.max


def read_scale(value: Any) -> Any:
    """A scale as it is written, or null. Raises ValueError for what is none."""
    ends = list(value) if isinstance(value, list | tuple) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    is_pair = len(ends) == len(numbers) == 2 and all(abs(end) <= _LARGEST for end in numbers)
    if value is None or (is_pair and ends[0] < ends[1]):
        return value
    if is_pair and ends[0] > ends[1]:
        raise ValueError(
            f"the lowest score comes first: write [{ends[1]}, {ends[0]}]; found {value!r}"
        )
    raise ValueError(
        f"give the lowest and the highest score as two numbers, such as [0, 10]; found {value!r}"
    )
