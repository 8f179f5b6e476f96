"""The money that the gate allowed to a run, drawn on call by call.

Where every output is limited, the calls cannot cost more than their ceiling, and nothing is
ever held back. Where a model's output has no limit, the ceiling rests on an assumption: this
is what keeps it true.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from inspect_ai.model import ModelUsage

from itemeval_assets.engine.logs.usage import is_plausible, token_counts

from .ended import NotSent

UsdOf = Callable[[str, Mapping[str, int | None]], float | None]
# Sums of many floats differ in the last digits from what they were added up to.
_ROUNDING = 1e-9
_SPENT = (
    "answers without max_tokens cost more than the gate allowed for; set max_tokens to limit the "
    "cost of each call"
)
_OTHERS_USED_UP = "the samples before them cost more than the gate allowed for"
_USED_UP = "its calls cost more than the gate allowed for"
_LOST = "the bucket could not be reached for so long that another run may have taken over"


class Allowance:
    """`usd` to spend at most, while `may_call` says yes.

    `held_back` counts the calls that were not made, for `reason`.
    """

    def __init__(
        self, usd: float, usd_of: UsdOf, may_call: Callable[[], bool] = lambda: True
    ) -> None:
        self.held_back = 0
        self.reason = ""
        self._may_call, self._too_dear = may_call, _SPENT
        self._left = usd * (1 + _ROUNDING) + _ROUNDING
        self._usd_of = usd_of

    def take(self, most_usd: float) -> bool:
        """Set aside what a call may cost at most; False where it must not be made."""
        if not self._may_call():
            self.reason = _LOST
        elif most_usd > self._left:
            self.reason = self._too_dear
        else:
            self._left -= most_usd
            return True
        self.held_back += 1
        return False

    def why_not(self) -> str:
        """Why no request of a call may be sent, though its money is set aside; "" where one may."""
        if self._may_call():
            return ""
        self.reason = _LOST
        return _LOST

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the call that the block makes as held back where it is never sent."""
        try:
            yield
        except NotSent:
            self.held_back += 1
            raise

    def meter(self, most_usd: float) -> "Meter":
        """What counts the calls of a sample, for which `most_usd` is set aside."""
        self._too_dear = _OTHERS_USED_UP
        return Meter(self, most_usd)

    def move(self, usd: float) -> None:
        """Take more for a sample that costs more than was set aside, or give back what is left."""
        self._left -= usd

    def usd_of(self, model: str, usage: ModelUsage) -> float:
        """What a call cost, as far as anybody knows."""
        return (self._usd_of(model, token_counts(usage)) or 0.0) if is_plausible(usage) else 0.0

    @property
    def is_overdrawn(self) -> bool:
        """Whether calls have cost more than the gate allowed."""
        return self._left < 0

    def settle(self, most_usd: float, model: str, usage: ModelUsage | None) -> None:
        """Give back what an answered call cost less than it might have, or take what it cost more.

        A call that failed gives nothing back, nor does a reply without a usage that can be:
        nobody says what they cost.
        """
        if usage and is_plausible(usage):
            self._left += most_usd - (self._usd_of(model, token_counts(usage)) or 0.0)


class Meter:
    """What the calls of one sample of a task cost: how many there are, nobody knows before.

    Beyond what is set aside for it, a sample takes of what the others leave.
    """

    def __init__(self, allowance: Allowance, most_usd: float) -> None:
        self._allowance, self._most_usd, self._spent_usd = allowance, most_usd, 0.0

    def add(self, model: str, usage: ModelUsage) -> None:
        """A call was answered."""
        before = max(self._spent_usd, self._most_usd)
        self._spent_usd += self._allowance.usd_of(model, usage)
        self._allowance.move(max(self._spent_usd, self._most_usd) - before)

    def why_not(self) -> str:
        """Why the sample may make no further call; "" where it may."""
        if reason := self._allowance.why_not():
            return reason
        if self._spent_usd > self._most_usd and self._allowance.is_overdrawn:
            return _USED_UP
        return ""

    def close(self) -> None:
        """The sample makes no call any more: what it did not need is there for others."""
        self._allowance.move(min(0.0, self._spent_usd - self._most_usd))
        self._most_usd = self._spent_usd
