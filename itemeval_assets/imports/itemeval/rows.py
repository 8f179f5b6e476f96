"""Rows of itemeval as rows of ours: the same values, under our ids of judges."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.imports.judges import Known
from itemeval_assets.core.tables.schemas import GRADINGS, SOLUTIONS, Table, arrow_schema

# Of a grading: where it is, and the fingerprint of what it graded, where that is still the answer.
Fingerprints = Mapping[tuple[str, str, str, int], str]
_BLANK_REPLY = "no_json_object"


def our_solutions(rows: pa.Table) -> pa.Table:
    """Solutions as we store them: what a failed call cost stands in `replaced`."""
    return _free_errors(rows.select(SOLUTIONS.column_names), SOLUTIONS)


def our_gradings(
    rows: pa.Table,
    known: Mapping[str, Known],
    fingerprints: Fingerprints,
    version_of: Callable[[str], str],
) -> pa.Table:
    """Gradings under our ids, with what itemeval does not write.

    A blank reply is a parse failure, and final. A scorer's verdict keeps the version of itemeval as
    that of its rules. The call of a judge has a name, also where its log is gone: its cost is not
    forgotten with the row.
    """
    found = []
    for row in rows.select(GRADINGS.column_names).to_pylist():
        here = known[row["grade_condition_id"]]
        key = tuple(
            row[name] for name in ("grade_condition_id", "gen_condition_id", "item_id", "epoch")
        )
        of_judge: dict[str, Any] = (
            {"scorer_version": version_of(row["run_id"])}
            if here.format is None
            else {
                "imported_condition_id": row["grade_condition_id"],
                "imported_format": here.format,
                "sample_uuid": ":".join(("imported", row["run_id"], *map(str, key))),
            }
        )
        found.append(
            {
                **row,
                **of_judge,
                "grade_condition_id": here.condition.id,
                "grade_condition_slug": here.condition.slug,
                "parse_error": row["parse_error"] or _failure(row),
                "solution_hash": fingerprints.get(key),  # type: ignore[arg-type]
            }
        )
    return _free_errors(pa.Table.from_pylist(found, schema=arrow_schema(GRADINGS)), GRADINGS)


def _failure(row: Mapping[str, Any]) -> str | None:
    is_blank = row["error"] is None and not row["parse_ok"] and row["score"] is None
    return _BLANK_REPLY if is_blank else None


def _free_errors(rows: pa.Table, table: Table) -> pa.Table:
    """Rows whose errors have usd 0.0."""
    failed = rows["error"].is_valid()
    usd = pc.if_else(failed, 0.0, rows["usd"])  # type: ignore[attr-defined]
    place = rows.column_names.index("usd")
    return rows.set_column(place, "usd", usd).cast(arrow_schema(table))
