"""The money that the gate allowed to a run, drawn on call by call.

Where every output is limited, the calls cannot cost more than their ceiling, and nothing is
ever held back. Where a model's output has no limit, the ceiling rests on an assumption: this
is what keeps it true.
"""

from collections.abc import Callable, Mapping

from inspect_ai.model import ModelUsage

from .usage import token_counts

__all__ = ["Allowance"]

UsdOf = Callable[[str, Mapping[str, int | None]], float | None]
# Sums of many floats differ in the last digits from what they were added up to.
ROUNDING = 1e-9


class Allowance:
    """`usd` to spend at most; `held_back` counts the calls that were not made for want of it."""

    def __init__(self, usd: float, usd_of: UsdOf) -> None:
        self.held_back = 0
        self._left = usd * (1 + ROUNDING) + ROUNDING
        self._usd_of = usd_of

    def take(self, most_usd: float) -> bool:
        """Set aside what a call may cost at most; False where so much is not left."""
        if most_usd > self._left:
            self.held_back += 1
            return False
        self._left -= most_usd
        return True

    def settle(self, most_usd: float, model: str, usage: ModelUsage | None) -> None:
        """Give back what an answered call cost less than it might have, or take what it cost more.

        A call that failed gives nothing back: nobody says what it cost.
        """
        paid = self._usd_of(model, token_counts(usage)) if usage else 0.0
        self._left += most_usd - (paid or 0.0)
