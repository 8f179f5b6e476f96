"""The ledger: what each run spent, per stage, condition and model.

Bookings are the ledger by partition. They are built from the evidence (`log_index`, the usage
in the log headers) and never from the rows they are compared with. Reconciliation: the totals
of the bookings equal the sums over the stored rows plus the rows they replaced.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from .tables import BOOKINGS, LEDGER, TOKEN_COLUMNS, Table, arrow_schema

__all__ = [
    "MONEY_COLUMNS",
    "VERIFIABLE",
    "Mismatch",
    "bookings_of",
    "ledger_of",
    "reconcile",
]

VERIFIABLE = "(verifiable)"
USD_TOLERANCE = 1e-6
QUANTITIES = (*TOKEN_COLUMNS, "usd")
MONEY_COLUMNS = ["run_id", "sample_uuid", *QUANTITIES]


# {(run_id, stage): {quantity: sum}}
Sums = dict[tuple[str, str], dict[str, float]]


class Mismatch(NamedTuple):
    """A run and stage whose ledger differs from its rows."""

    run_id: str
    stage: str
    quantity: str
    ledger: float
    rows: float


def bookings_of(log_index: pa.Table) -> pa.Table:
    """Bookings of the logs of one partition: the sums over each run's logs.

    A sum is null when every term is: no tokens for cache hits, no usd without a price.
    """
    logs = log_index.to_pandas()
    if logs.empty:
        return arrow_schema(BOOKINGS).empty_table()
    groups = logs.groupby(list(BOOKINGS.key), dropna=False, sort=True)
    sums = groups[[*TOKEN_COLUMNS, "usd"]].sum(min_count=1)
    sums["calls"] = groups["total_samples"].sum()
    sums["priced"] = groups["priced"].all()
    sums["batch"] = groups["batch"].any()
    sums["created_at"] = groups["created_at"].max()
    rows = sums.reset_index()
    rows["provider"] = rows["model"].str.split("/").str[0]
    # An unpriced model has no usd, also where some of its calls were free cache hits.
    rows["usd"] = rows["usd"].where(rows["priced"].astype(bool))
    return _conform(BOOKINGS, rows)


def ledger_of(bookings: pa.Table) -> pa.Table:
    """The ledger that bookings add up to, grading summed over generate conditions."""
    rows = bookings.to_pandas()
    if rows.empty:
        return arrow_schema(LEDGER).empty_table()
    groups = rows.groupby(list(LEDGER.key), sort=False)
    sums = groups[[*TOKEN_COLUMNS, "usd"]].sum(min_count=1)
    sums["calls"] = groups["calls"].sum()
    sums["priced"], sums["batch"] = groups["priced"].all(), groups["batch"].any()
    sums["created_at"], sums["provider"] = groups["created_at"].max(), groups["provider"].first()
    return _conform(LEDGER, sums.reset_index().sort_values(list(LEDGER.key)))


def _conform(table: Table, rows: pd.DataFrame) -> pa.Table:
    schema = arrow_schema(table)
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
    ledger: pa.Table, stored: Iterable[tuple[str, pa.Table]], replaced: pa.Table
) -> list[Mismatch]:
    """The mismatches between the ledger and the rows, per run and stage; empty when sound.

    `stored`: (stage, rows) of one partition after the other. USD to 1e-6, tokens exactly. Reads
    MONEY_COLUMNS; a call that stands both in a row and in `replaced` counts once.
    """
    paid: Sums = {}
    lost = replaced.select(["stage", *MONEY_COLUMNS]).to_pandas()
    lost = lost[~_is_repeated(lost, ["stage", "sample_uuid"])]
    for stage, rows in stored:
        events = rows.select(MONEY_COLUMNS).to_pandas()
        _add(paid, events[~_is_repeated(events, ["sample_uuid"])].assign(stage=stage))
        if len(lost):
            again = set(lost["sample_uuid"].dropna()) & set(events["sample_uuid"].dropna())
            lost = lost[~((lost["stage"] == stage) & lost["sample_uuid"].isin(list(again)))]
    _add(paid, lost)
    booked: Sums = {}
    _add(booked, ledger.to_pandas())
    return [
        Mismatch(run_id, stage, quantity, have, want)
        for run_id, stage in sorted(paid.keys() | booked.keys())
        for quantity in QUANTITIES
        for have, want in [
            (
                booked.get((run_id, stage), {}).get(quantity, 0),
                paid.get((run_id, stage), {}).get(quantity, 0),
            )
        ]
        if abs(have - want) > (USD_TOLERANCE if quantity == "usd" else 0)
    ]


def _is_repeated(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    """Rows whose call stands in an earlier one. Without a uuid there was no call."""
    return rows.duplicated(names) & rows["sample_uuid"].notna()


def _add(sums: Sums, rows: pd.DataFrame) -> None:
    """Add the quantities of some rows to the sums of their runs and stages."""
    for key, group in rows.groupby(["run_id", "stage"], sort=False):
        total = sums.setdefault(key, dict.fromkeys(QUANTITIES, 0))  # type: ignore[arg-type]
        for name in TOKEN_COLUMNS:
            # Beside nulls pandas holds integers as floats, which are exact to 2**53 each.
            total[name] += int(group[name].dropna().astype("int64").sum())
        total["usd"] += float(group["usd"].sum())
