"""What the Dagster UI shows of an asset: columns, counts, cost, files."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets.core.study import Partition, Study
from itemeval_assets.core.tables import TABLES
from itemeval_assets.storage.layout import log_dir, manifest_key, table_key

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.stages.calls import Outcome

__all__ = ["call_metadata", "column_schema", "row_count", "table_metadata"]


def column_schema(table: str) -> dict[str, Any]:
    """The columns of a table, as the UI shows them."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=column.note or None,
            constraints=dg.TableColumnConstraints(nullable=not column.required),
        )
        for column in TABLES[table].columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def table_metadata(study: Study, table: str) -> dict[str, Any]:
    """Definition metadata: columns, key, and where the table lies."""
    return {
        **column_schema(table),
        "key": ", ".join(TABLES[table].key),
        "path": dg.MetadataValue.path(str(study.study_dir / table_key(table))),
        "config": dg.MetadataValue.path(str(study.config_path)),
    }


def row_count(rows: "pa.Table") -> dict[str, Any]:
    return {"dagster/row_count": rows.num_rows}


def call_metadata(
    study: Study, table: str, outcome: "Outcome", run_id: str
) -> dict[Partition, dict[str, Any]]:
    """Per partition: what this run called, what came back, what it cost, where the evidence is."""
    rows = outcome.rows.to_pylist()
    by_partition: dict[Partition, list[dict[str, Any]]] = {p: [] for p in outcome.pending}
    for row in rows:
        partition = (
            (row["condition_id"],)
            if table == "solutions"
            else (row["gen_condition_id"], row["grade_condition_id"])
        )
        by_partition.setdefault(partition, []).append(row)
    return {
        partition: {
            **_counts(own),
            "pending cells": outcome.pending.get(partition, 0),
            "recovered calls": outcome.recovered.get(partition, 0),
            "path": dg.MetadataValue.path(str(study.study_dir / table_key(table, partition))),
            "logs": dg.MetadataValue.path(str(study.study_dir / log_dir(partition))),
            "manifest": dg.MetadataValue.path(str(study.study_dir / manifest_key(run_id))),
        }
        for partition, own in by_partition.items()
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "rows of this run": len(rows),
        "errored rows": sum(row["error"] is not None for row in rows),
        "usd": float(sum(row["usd"] or 0.0 for row in rows)),
    }
    scores = [row["score"] for row in rows if row.get("score") is not None]
    if scores:
        counts["mean score of this run"] = sum(scores) / len(scores)
    failures = Counter(row["parse_error"] for row in rows if row.get("parse_error"))
    if failures:
        counts["parse failures"] = dict(failures)
    return counts
