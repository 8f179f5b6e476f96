"""The rules behind the asset checks: table in, offending rows out.

An empty list means that the rule holds. Each offence is a small dict that names the row
by its key, so that a check can show it.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from .schemas import TABLES

Offence = dict[str, Any]

PARSED_COLUMNS = ["item_id", "epoch", "score", "parse_ok", "parse_error", "error"]


def parse_ok_violations(gradings: pa.Table) -> list[Offence]:
    """Rows without `error` in which parse_ok=false, parse_error set and score null disagree.

    The invariant of the seed (Outputs and Schemas).
    """
    parsed = gradings["parse_ok"].to_numpy().astype(bool)
    sound = (parsed == _is_null(gradings["parse_error"])) & (parsed != _is_null(gradings["score"]))
    broken = _is_null(gradings["error"]) & ~sound
    return gradings.select(PARSED_COLUMNS).filter(pa.array(broken)).to_pylist()


def repeated_keys(table: str, rows: pa.Table) -> list[Offence]:
    """Keys that stand in a table more than once."""
    keys = rows.select(list(TABLES[table].key))
    if keys.group_by(keys.column_names).aggregate([]).num_rows == keys.num_rows:
        return []
    return keys.filter(pa.array(keys.to_pandas().duplicated())).to_pylist()


def errored_rows(rows: pa.Table) -> list[Offence]:
    """Rows whose call failed: item, epoch and the first line of the error."""
    failed = rows.select(["item_id", "epoch", "error"]).filter(rows["error"].is_valid())
    return [{**row, "error": row["error"].partition("\n")[0][:200]} for row in failed.to_pylist()]


def _is_null(column: pa.ChunkedArray) -> np.ndarray:
    return column.is_null().to_numpy()
