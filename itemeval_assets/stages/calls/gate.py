"""The gate before the calls of a run: what they may cost is admitted, reserved, and released."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.budget import Standing, require_budget, require_sane_consent
from itemeval_assets.core.money.estimate import Projection
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.engine.logs.reading import read_log, read_log_header
from itemeval_assets.engine.rows import log_facts
from itemeval_assets.stages import ledger
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore


class Gate:
    """Admits the calls of one run, and keeps their ceiling reserved until they are booked.

    `holder` names the reservation; it is in the log of every call that draws on it.
    """

    def __init__(
        self,
        study: Study,
        store: ResultsStore,
        prices: PriceBook,
        holder: str,
        consent_usd: float | None,
    ) -> None:
        self._study, self._store, self._prices = study, store, prices
        self.holder = holder
        self._consent_usd = consent_usd
        self._reservations = Reservations(store)
        self._admitted_usd = 0.0

    def admit(self, projection: Projection) -> None:
        """Reserve the ceiling of some calls, or raise: they must not be made.

        Raises BudgetExceeded, ConsentMissing or ConfigError (see `core.budget`). With the first
        calls the study directory becomes this config's: StoreError where it is another's.
        """

        def allow(others: dict[str, float]) -> None:
            spent = _spent_usd(self._store, self._prices, set(others))
            found = Standing(spent, sum(others.values()))
            require_budget(projection, self._study.config.budget, found, self._consent_usd)

        require_sane_consent(self._consent_usd, self._study.config.budget)
        self._reservations.reserve(self.holder, projection.usd, allow)
        if projection.calls:
            self._store.take_ownership(self._study)
        self._admitted_usd = projection.usd

    def booked(self) -> None:
        """The admitted calls are in the ledger: their reservation is over."""
        self._reservations.release(self.holder, self._admitted_usd)
        self._admitted_usd = 0.0


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
    then this run draws on it, and reserves more only where it needs more.
    """
    gate = partial(Gate, study, store, prices, consent_usd=consent_usd)
    if within is not None:
        yield gate(holder=within)
    else:
        with Reservations(store).held(holder):
            yield gate(holder=holder)


def standing(study: Study, store: ResultsStore, prices: PriceBook) -> Standing:
    """What the study has spent, and what runs in progress have reserved."""
    amounts = Reservations(store).amounts()
    return Standing(_spent_usd(store, prices, set(amounts)), sum(amounts.values()))


def _spent_usd(store: ResultsStore, prices: PriceBook, living: set[str]) -> float:
    """The ledger, what calls may have cost that told no usage, and logs of killed runs.

    Logs of `living` runs are left out: their reservations count for them.
    """
    booked = sum(usd or 0.0 for usd in ledger.ledger(store)["usd"].to_pylist())
    index = store.read("log_index", columns=["log_file", "unmetered_usd"])
    known = set(index["log_file"].to_pylist())
    unmetered = sum(usd or 0.0 for usd in index["unmetered_usd"].to_pylist())
    return (
        booked
        + unmetered
        + sum(
            _usd_of_log(store, key, prices, living)
            for key in log_files.all_logs(store.backend)
            if key not in known
        )
    )


def _usd_of_log(store: ResultsStore, key: str, prices: PriceBook, living: set[str]) -> float:
    try:
        path, place = store.backend.local_copy(key), store.backend.uri(key)
        facts = read_log_header(path, place).eval.metadata or {}
        if facts.get("reserved_by") in living:
            return 0.0
        found = log_facts(read_log(path, place), str(facts.get("model")), prices)
        return (found["usd"] or 0.0) + found["unmetered_usd"]
    except StoreError:
        if store.backend.exists(key):
            raise
        return 0.0  # a run that has just ended has moved it
