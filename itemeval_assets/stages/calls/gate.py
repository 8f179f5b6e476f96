"""The gate before the calls of a run: what they may cost is admitted, reserved, and released."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.budget import Standing, require_budget, require_sane_consent
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.engine.logs.reading import read_log_header
from itemeval_assets.stages import ledger
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore

from .batches import unreserved_usd
from .unfinished import read_unfinished


@dataclass
class Gate:
    """Admits the calls of one run, and keeps their ceiling reserved until they are booked.

    `holder` names the reservation; it is in the log of every call that draws on it.
    """

    study: Study
    store: ResultsStore
    prices: PriceBook
    holder: str
    consent_usd: float | None
    admitted_usd: float = 0.0

    def admit(
        self, projection: Projection, remarks: Sequence[str] = (), waiting_usd: float = 0.0
    ) -> None:
        """Reserve the ceiling of some calls, or raise: they must not be made.

        `remarks`: what whoever is asked for consent must know of these calls. `waiting_usd`: what
        of their ceiling is that of batches which they collect.
        Raises BudgetExceeded, ConsentMissing or ConfigError (see `core.budget`). With the first
        calls the study directory becomes this config's: StoreError where it is another's.
        """

        def allow(others: dict[str, float]) -> None:
            found = _standing(self.store, self.prices, others, {*others, self.holder})
            found = found.without_waiting(waiting_usd)
            require_budget(projection, budget, found, self.consent_usd, remarks)

        budget = self.study.config.budget
        require_sane_consent(self.consent_usd, budget)
        Reservations(self.store).reserve(self.holder, projection.usd, allow)
        if projection.calls:
            self.store.take_ownership(self.study)
        self.admitted_usd = projection.usd

    def booked(self) -> None:
        """The admitted calls are in the ledger: their reservation is over."""
        Reservations(self.store).release(self.holder, self.admitted_usd)
        self.admitted_usd = 0.0


@contextmanager
def open_gate(
    study: Study,
    store: ResultsStore,
    prices: PriceBook,
    *,
    holder: str,
    within: str | None = None,
    consent_usd: float | None = None,
) -> Iterator[Gate]:
    """A gate for one run, alive while the block runs.

    `within` names the holder of a reservation that covers several runs, this one among them:
    then this run draws on it, and reserves more only where it needs more. One whose holder is gone
    covers nothing: a run that Dagster executes again has the tags of the first one.
    """
    if within and not Reservations(store).is_held(within):
        within = None
    with nullcontext() if within else Reservations(store).held(holder):
        yield Gate(study, store, prices, within or holder, consent_usd)


def standing(store: ResultsStore, prices: PriceBook) -> Standing:
    """What the study has spent, and what runs in progress have reserved."""
    reserved = Reservations(store).amounts()
    return _standing(store, prices, reserved, set(reserved))


def _standing(
    store: ResultsStore, prices: PriceBook, reserved: dict[str, float], living: set[str]
) -> Standing:
    return Standing(
        _spent_usd(store, prices, set(reserved)),
        sum(reserved.values()),
        unreserved_usd(store, living),
    )


def _spent_usd(store: ResultsStore, prices: PriceBook, living: set[str]) -> float:
    """The ledger, what calls may have cost that told no usage, and logs of killed runs.

    Logs of `living` runs are left out: their reservations count for them.
    """
    # After the reservations were read: what those had who are not among them is booked by now.
    with store.looking():
        booked = sum(usd or 0.0 for usd in ledger.ledger(store)["usd"].to_pylist())
        index = store.read("log_index", columns=["log_file", "unmetered_usd"])
        known = set(index["log_file"].to_pylist())
        unmetered = sum(usd or 0.0 for usd in index["unmetered_usd"].to_pylist())
        unknown = [key for key in log_files.all_logs(store.backend) if key not in known]
        return booked + unmetered + sum(_usd_of_log(store, key, prices, living) for key in unknown)


def _usd_of_log(store: ResultsStore, key: str, prices: PriceBook, living: set[str]) -> float:
    from itemeval_assets.engine.booking import index_rows

    try:
        path, place = store.backend.local_copy(key), store.backend.uri(key)
        facts = read_log_header(path, place).eval.metadata or {}
        if facts.get("reserved_by") in living:
            return 0.0
        found = index_rows(read_unfinished(store.backend, key), str(facts.get("model")), prices)
        return sum((one["usd"] or 0.0) + one["unmetered_usd"] for one in found)
    except StoreError:
        if store.backend.exists(key):
            raise
        return 0.0  # a run that has just ended has moved it
