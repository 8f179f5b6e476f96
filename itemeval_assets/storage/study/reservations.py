"""Reservations: what runs in progress may still spend, so that several cannot pass the cap.

One JSON document per study, changed under its lock. A reservation is held by a process:
its lock tells whether it is alive, so that a killed one stops counting.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .layout import RESERVATIONS, reservation_lock
from .store import ResultsStore

_Amounts = dict[str, float]


class Reservations:
    """Amounts of USD under the names of those who reserved them."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    @contextmanager
    def held(self, holder: str) -> Iterator[None]:
        """Be alive as `holder` while the block runs; what it reserved goes with it."""
        with self._store.backend.lock(reservation_lock(holder), holder, is_unique=True):
            try:
                yield
            finally:
                self._change(lambda amounts: amounts.pop(holder, None))

    def reserve(self, holder: str, usd: float, admit: Callable[[_Amounts], None]) -> None:
        """Reserve an amount for `holder`, at least, unless `admit(amounts of others)` raises.

        Nobody else can reserve or release in between.
        """

        def take(amounts: _Amounts) -> None:
            others = {name: amount for name, amount in amounts.items() if name != holder}
            admit(others)
            amounts[holder] = max(amounts.get(holder, 0.0), usd)

        self._change(take)

    def release(self, holder: str, usd: float) -> None:
        """Give back a part of what `holder` reserved: its calls are made and booked."""

        def give_back(amounts: _Amounts) -> None:
            if holder in amounts:
                amounts[holder] = max(0.0, amounts[holder] - usd)

        self._change(give_back)

    def amounts(self) -> _Amounts:
        """What the living have reserved. A look, without the lock."""
        return self._living(self._store.read_json(RESERVATIONS) or {})

    def is_held(self, holder: str) -> bool:
        """Whether somebody is alive as `holder`."""
        return self._store.backend.is_held(reservation_lock(holder))

    def _change(self, change: Callable[[_Amounts], object]) -> None:
        def rewrite(document: dict[str, float]) -> dict[str, float]:
            amounts = self._living(document)
            change(amounts)
            return amounts

        self._store.update_json(RESERVATIONS, rewrite)

    def _living(self, document: dict[str, float]) -> _Amounts:
        # NaN is no amount either: it is not less than infinity.
        if not all(
            isinstance(amount, int | float)
            and not isinstance(amount, bool)
            and 0 <= amount < math.inf
            for amount in document.values()
        ):
            raise self._store.damaged(RESERVATIONS, "holds no amounts")
        return {name: amount for name, amount in document.items() if self.is_held(name)}
