"""The seals of a study: written before the calls, and compared with the study as it is."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.money.ledger import is_nobody
from itemeval_assets.core.records.published.later_raters import later_raters, without_raters
from itemeval_assets.core.records.published.seals import (
    Seal,
    SealState,
    deviations,
    plan_of,
    seal_of,
)
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.typed import read_record
from itemeval_assets.stages import items, ledger
from itemeval_assets.stages.calls.recovery.unread import unread_logs
from itemeval_assets.storage.study.batches import KeptBatches
from itemeval_assets.storage.study.layout import SEALS
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore


def seal(study: Study, store: ResultsStore) -> SealState:
    """Seal the study as it is; where the last seal says the same, nothing is written.

    Raises ConfigError without a section `seal`, and StoreError while a run is at work, or where
    answers of a killed run, or of a batch, are in no table: nobody could say how many calls came
    before.
    """
    if study.config.seal is None:
        raise ConfigError(
            f"{study.config_path}: seal: there is nothing to seal. Write what you expect, and what"
            " decides it:\nseal:\n  hypotheses: [model a scores higher than model b]\n"
            "  decision: the 95 % interval of their difference lies above 0"
        )
    found = items.known(study, store).table
    plan = plan_of(study, found.to_pylist())
    calls, usd = _spent(study, store)
    new = seal_of(plan, now(), calls, usd)
    was_new = list[bool]()

    def add(document: Mapping[str, Any]) -> dict[str, Any]:
        seals = _seals(store, document)
        was_new[:] = [not seals or bool(deviations(seals[-1].plan, plan))]
        return {"seals": [asdict(one) for one in ([*seals, new] if was_new[0] else seals)]}

    store.update_json(SEALS, add)
    state = seal_state(study, store, found)
    assert state is not None
    return replace(state, is_new=was_new[0])


def seal_state(study: Study, store: ResultsStore, known_items: pa.Table) -> SealState | None:
    """The seals, and how the study deviates from the last one; null: it was never sealed."""
    seals = _seals(store, store.read_json(SEALS) or {})
    if not seals:
        return None
    sealed, plan = seals[-1].plan, plan_of(study, known_items.to_pylist())
    raters = later_raters(sealed, plan)
    return SealState(
        study.name,
        seals,
        deviations(sealed, without_raters(plan, raters)),
        store.backend.uri(SEALS),
        str(study.config_path),
        raters=raters,
    )


def notes_on_seals(study: Study, store: ResultsStore, known_items: pa.Table) -> list[str]:
    """What a reader of figures is told; nothing where the study was never sealed."""
    state = seal_state(study, store, known_items)
    return state.words if state else []


def _spent(study: Study, store: ResultsStore) -> tuple[int, float | None]:
    """Calls and USD of the ledger."""
    if Reservations(store).amounts():
        raise StoreError(f"{study.name}: a run is at work: seal before it, or after it has ended")
    if unread_logs(study, store, {}):
        raise StoreError(
            f"{study.name}: answers of a killed run are in no table yet: run `itemeval-assets"
            f" recover {study.config_path}` first"
        )
    if waiting := KeptBatches(store).all():
        raise StoreError(
            f"{study.name}: provider batches that are not collected yet: {len(waiting)}; collect"
            f" them by `itemeval-assets run {study.config_path}`, and seal then"
        )
    rows = [row for row in ledger.ledger(store).to_pylist() if not is_nobody(row["model"])]
    prices = [row["usd"] for row in rows]
    return sum(row["calls"] for row in rows), None if None in prices else sum(prices, 0.0)


def _seals(store: ResultsStore, document: Mapping[str, Any]) -> list[Seal]:
    try:
        return [read_record(Seal, one) for one in document.get("seals", [])]
    except (TypeError, ValueError) as error:
        raise store.damaged(SEALS, "holds no seals") from error
