"""The ledger: what each run spent, per stage, condition and model.

Built from the evidence (`log_index`, the usage in the log headers) and never from the
rows it is compared with. Reconciliation: the totals of the ledger equal the sums over
the stored rows plus the rows they replaced.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from .study import GENERATE, GRADE
from .tables import LEDGER, TOKEN_COLUMNS, arrow_schema

__all__ = ["VERIFIABLE", "Mismatch", "ledger_from_logs", "reconcile", "united_ledger"]

VERIFIABLE = "(verifiable)"
USD_TOLERANCE = 1e-6
_KEY = ["run_id", "stage", "condition_id", "gen_condition_id", "model"]


class Mismatch(NamedTuple):
    """A run and stage whose ledger differs from its rows."""

    run_id: str
    stage: str
    quantity: str
    ledger: float
    rows: float


def ledger_from_logs(log_index: pa.Table) -> pa.Table:
    """Ledger rows for the logs of one partition: the sums over each run's logs.

    A sum is null when every term is: no tokens for cache hits, no usd without a price.
    """
    logs = log_index.to_pandas()
    if logs.empty:
        return arrow_schema(LEDGER).empty_table()
    groups = logs.groupby(_KEY, dropna=False, sort=True)
    sums = groups[[*TOKEN_COLUMNS, "usd"]].sum(min_count=1)
    sums["calls"] = groups["total_samples"].sum()
    sums["priced"] = groups["priced"].all()
    sums["batch"] = groups["batch"].any()
    sums["created_at"] = groups["created_at"].max()
    rows = sums.reset_index()
    rows["provider"] = rows["model"].str.split("/").str[0]
    # An unpriced model has no usd, also where some of its calls were free cache hits.
    rows["usd"] = rows["usd"].where(rows["priced"].astype(bool))
    return _as_ledger(rows)


def united_ledger(ledger: pa.Table) -> pa.Table:
    """The ledger to the seed's key: run_id, stage, condition_id, model."""
    rows = ledger.to_pandas()
    if rows.empty:
        return ledger
    groups = rows.groupby(["run_id", "stage", "condition_id", "model"], sort=False)
    sums = groups[[*TOKEN_COLUMNS, "usd"]].sum(min_count=1)
    sums["calls"] = groups["calls"].sum()
    sums["priced"], sums["batch"] = groups["priced"].all(), groups["batch"].any()
    sums["created_at"], sums["provider"] = groups["created_at"].max(), groups["provider"].first()
    united = sums.reset_index().sort_values(["created_at", "run_id", "stage", "condition_id"])
    united["gen_condition_id"] = None
    return _as_ledger(united)


def _as_ledger(rows: pd.DataFrame) -> pa.Table:
    schema = arrow_schema(LEDGER)
    records = rows.reindex(columns=schema.names).astype(object)
    columns = [
        pa.array([_plain(value, field) for value in records[field.name]], field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _plain(value: Any, field: pa.Field) -> Any:
    if pd.isna(value):
        return None
    return int(value) if pa.types.is_integer(field.type) else value


def reconcile(
    ledger: pa.Table, solutions: pa.Table, gradings: pa.Table, replaced: pa.Table
) -> list[Mismatch]:
    """The mismatches between the ledger and the rows, per run and stage; empty when sound.

    USD to 1e-6, tokens exactly. Reads run_id, sample_uuid, usd and the token columns; a call
    that stands both in a row and in `replaced` counts once.
    """
    paid = _sums_by_run(_events(solutions, gradings, replaced))
    booked = _sums_by_run(_records(ledger))
    return [
        Mismatch(run_id, stage, quantity, have, want)
        for run_id, stage in sorted(paid.keys() | booked.keys())
        for quantity in (*TOKEN_COLUMNS, "usd")
        for have, want in [
            (
                booked.get((run_id, stage), {}).get(quantity, 0.0),
                paid.get((run_id, stage), {}).get(quantity, 0.0),
            )
        ]
        if abs(have - want) > (USD_TOLERANCE if quantity == "usd" else 0)
    ]


def _records(table: pa.Table, **constants: str) -> list[dict[str, Any]]:
    wanted = ["run_id", "stage", "sample_uuid", "usd", *TOKEN_COLUMNS]
    present = [name for name in wanted if name in table.column_names]
    return [{**row, **constants} for row in table.select(present).to_pylist()]


def _events(
    solutions: pa.Table, gradings: pa.Table, replaced: pa.Table
) -> Iterable[Mapping[str, Any]]:
    seen: set[tuple[str, str]] = set()
    rows = [
        *_records(solutions, stage=GENERATE),
        *_records(gradings, stage=GRADE),
        *_records(replaced),
    ]
    for row in rows:
        event = (row["stage"], row["sample_uuid"])
        if row["sample_uuid"] is None or event not in seen:
            seen.add(event)
            yield row


def _sums_by_run(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    sums: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        total = sums.setdefault((row["run_id"], row["stage"]), dict.fromkeys(TOKEN_COLUMNS, 0))
        for name in (*TOKEN_COLUMNS, "usd"):
            total[name] = total.get(name, 0.0) + (row[name] or 0)
    return sums
