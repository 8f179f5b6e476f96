"""McNemar's test of two paired shares, from a table of counts."""

from typing import Any, NamedTuple

import numpy as np

from ..arguments import checked
from ..intervals import binomial_p
from ..numeric import LARGEST_COUNT, as_numbers
from ..records import MeasurementError

__all__ = ["McNemar", "mcnemar"]


class McNemar(NamedTuple):
    """The statistic with one degree of freedom, its p, and the exact p."""

    chi2: float
    p: float
    exact_p: float


@checked
def mcnemar(table: Any, *, corrected: bool = False) -> McNemar:
    """Do two paired shares differ (McNemar 1947, Psychometrika 12, 153-157)?

    `table` counts items: [[both right, only a right], [only b right, both wrong]]. Only the two
    middle counts matter. `corrected` takes 1 off their difference (Edwards 1948). The exact p is
    that of the binomial distribution, and holds for any counts; of more than 10^12 its normal
    tail is taken.
    """
    counts = as_numbers(table)
    whole = counts.shape == (2, 2) and np.isfinite(counts).all() and (counts >= 0).all()
    if not whole or (counts != np.round(counts)).any() or counts.max() > LARGEST_COUNT:
        raise MeasurementError(
            "table is not 2 x 2 whole numbers of at most 2^53: [[both, only a], [only b, none]]."
        )
    only_a, only_b = counts[0, 1], counts[1, 0]
    n = only_a + only_b
    if n == 0:
        return McNemar(0.0, 1.0, 1.0)
    from scipy import special

    apart = max(0.0, abs(only_a - only_b) - corrected)
    chi2 = apart**2 / n
    return McNemar(
        float(chi2), float(special.chdtrc(1, chi2)), float(binomial_p(min(only_a, only_b), n))
    )
