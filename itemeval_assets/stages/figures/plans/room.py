"""What `budget.max_usd` leaves for a plan: a run that may cost more is refused."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.text.words import dollars
from itemeval_assets.stages.calls.gate import standing
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import ResultsStore

__all__ = ["Room", "room_of"]


@dataclass(frozen=True)
class Room:
    """USD: `budget.max_usd`, null where there is no limit, and what is spent or reserved of it."""

    max_usd: float | None
    taken_usd: float = 0.0

    def forbids(self, at_most_usd: float | None) -> bool:
        """Whether a run is refused that may cost so much."""
        if self.max_usd is None or not at_most_usd:
            return False
        return self.taken_usd + at_most_usd > self.max_usd

    def words_on(self, at_most_usd: float | None) -> Iterator[str]:
        """That a run is refused, and what to do; nothing where it is not."""
        if self.max_usd is None or not self.forbids(at_most_usd):
            return
        taken = f", {dollars(self.taken_usd)} of it spent or reserved" if self.taken_usd else ""
        cents = math.floor((self.max_usd - self.taken_usd) * 100 + 1e-6)
        ask = f", or plan with --max-usd {cents / 100:.2f}" if cents > 0 else ""
        yield (
            f"budget.max_usd is {dollars(self.max_usd)}{taken}: a run of this is refused. Raise it"
            f"{ask}."
        )


def room_of(study: Study, store: ResultsStore) -> Room:
    """The limit of the study, and what its calls have cost and runs in progress have reserved."""
    cap = study.config.budget.max_usd
    if cap is None:
        return Room(None)
    found = standing(store, load_prices(study))
    return Room(cap, found.spent_usd + found.reserved_usd)
