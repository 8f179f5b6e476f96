"""The rows of one shard as parts of the final tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .columns import build, cast
from .index import SUBINDEX
from .pandas_schema import Column
from .shard import Outcome, ShardOutput
from .survey import ERRORS, FILES, SCALARS, Plan, TablePlan

__all__ = ["shard_tables"]


def shard_tables(shard: ShardOutput, plan: Plan) -> Iterator[tuple[str, pa.Table]]:
    """(name, rows) for each final table of the plan, in the plan's schema, by `sort_index`."""
    successes = [outcome for outcome in shard.outcomes if outcome.failure is None]
    failures = [outcome for outcome in shard.outcomes if outcome.failure is not None]
    for name, table in plan.tables.items():
        if name in plan.frames:
            yield name, _frame_table(name, successes, table)
        elif name == ERRORS:
            yield name, _value_table(failures, [vars(item.failure) for item in failures], table)
        elif name == FILES:
            yield name, _value_table(successes, [item.files for item in successes], table)
        else:
            assert name == SCALARS
            yield name, _value_table(successes, [item.scalars for item in successes], table)


def _value_table(
    outcomes: Sequence[Outcome], values: Sequence[Mapping[str, Any]], plan: TablePlan
) -> pa.Table:
    arrays = [*_arrays(values, plan.columns), *_arrays([o.levels for o in outcomes], plan.levels)]
    return pa.table(arrays, schema=plan.schema)


def _arrays(rows: Sequence[Mapping[str, Any]], columns: dict[str, Column]) -> list[pa.Array]:
    return [build([row.get(name) for row in rows], column.kind) for name, column in columns.items()]


def _frame_table(name: str, outcomes: Sequence[Outcome], plan: TablePlan) -> pa.Table:
    having = [outcome for outcome in outcomes if name in outcome.frames]
    parts = [outcome.frames[name].table for outcome in having]
    counts = [part.num_rows for part in parts]
    # Which outcome each row belongs to: the values of a spec are repeated for its rows.
    owners = np.repeat(np.arange(len(having)), counts)
    levels = [outcome.levels for outcome in having]
    arrays = [_column(parts, column, wanted.kind) for column, wanted in plan.columns.items()]
    for level, wanted in plan.levels.items():
        if level in plan.own_levels:
            arrays.append(_column(parts, level, wanted.kind))
        elif level == SUBINDEX:
            arrays.append(_row_numbers(counts, owners))
        else:
            values = build([known.get(level) for known in levels], wanted.kind)
            arrays.append(values.take(pa.array(owners)))
    return pa.table(arrays, schema=plan.schema)


def _column(parts: Sequence[pa.Table], name: str, kind: pa.DataType) -> pa.ChunkedArray:
    """One column of all parts, null where a part has none."""
    chunks: list[pa.Array] = []
    for part in parts:
        if name in part.column_names:
            found = cast(part[name], kind)
            chunks.extend(found.chunks if isinstance(found, pa.ChunkedArray) else [found])
        else:
            chunks.append(pa.nulls(part.num_rows, kind))
    return pa.chunked_array(chunks, kind)


def _row_numbers(counts: Sequence[int], owners: np.ndarray) -> pa.Array:
    """The place of each row within its spec."""
    starts = np.cumsum([0, *counts])[owners]
    return pa.array(np.arange(len(owners)) - starts, pa.int64())
