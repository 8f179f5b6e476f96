"""The rules behind the asset checks: table in, offending rows out.

An empty list means that the rule holds. Each offence is a small dict that names the row
by its key, so that a check can show it.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from .tables import TABLES

__all__ = ["errored_rows", "parse_ok_violations", "repeated_keys"]

Offence = dict[str, Any]


def parse_ok_violations(gradings: pa.Table) -> list[Offence]:
    """Rows without `error` in which parse_ok=false, parse_error set and score null disagree.

    The invariant of the seed (Outputs and Schemas).
    """
    columns = ("item_id", "epoch", "score", "parse_ok", "parse_error", "error")
    return [
        _keep(row, *columns)
        for row in gradings.select(list(columns)).to_pylist()
        if row["error"] is None
        and not (row["parse_ok"] == (row["parse_error"] is None) == (row["score"] is not None))
    ]


def repeated_keys(table: str, rows: pa.Table) -> list[Offence]:
    """Keys that stand in a table more than once."""
    seen: set[tuple[Any, ...]] = set()
    repeated = []
    for row in rows.select(list(TABLES[table].key)).to_pylist():
        key = tuple(row.values())
        if key in seen:
            repeated.append(row)
        seen.add(key)
    return repeated


def errored_rows(rows: pa.Table) -> list[Offence]:
    """Rows whose call failed: item, epoch and the first line of the error."""
    return [
        {**_keep(row, "item_id", "epoch"), "error": row["error"].partition("\n")[0][:200]}
        for row in rows.select(["item_id", "epoch", "error"]).to_pylist()
        if row["error"] is not None
    ]


def _keep(row: Mapping[str, Any], *names: str) -> Offence:
    return {name: row[name] for name in names}
