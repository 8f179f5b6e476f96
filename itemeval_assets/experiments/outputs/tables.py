"""The rows of one shard as parts of the final tables."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa

from itemeval_assets.experiments.frames.columns import build, cast
from itemeval_assets.experiments.frames.pandas_schema import Column
from itemeval_assets.experiments.spec.index import SUBINDEX, UNNAMED

from .outcomes import Outcome, by_stored, stored_rows
from .shard_output import ShardOutput
from .survey import ERRORS, FILES, SCALARS, TablePlan


def shard_tables(
    shard: ShardOutput, plan: Mapping[str, TablePlan]
) -> Iterator[tuple[str, pa.Table]]:
    """(name, rows) for each final table of the plan, in the plan's schema, by `sort_index`."""
    successes = [outcome for outcome in shard.outcomes if outcome.failure is None]
    failures = [outcome for outcome in shard.outcomes if outcome.failure is not None]
    for name, table in plan.items():
        if name == ERRORS:
            yield name, _value_table(failures, [vars(item.failure) for item in failures], table)
        elif name == FILES:
            yield name, _value_table(successes, [item.files for item in successes], table)
        elif name == SCALARS:
            yield name, _value_table(successes, [item.scalars for item in successes], table)
        else:
            yield name, _frame_table(name, successes, table)


def _value_table(
    outcomes: Sequence[Outcome], values: Sequence[Mapping[str, Any]], plan: TablePlan
) -> pa.Table:
    arrays = [*_arrays(values, plan.columns), *_arrays([o.levels for o in outcomes], plan.levels)]
    return pa.table(arrays, schema=plan.schema)


def _arrays(rows: Sequence[Mapping[str, Any]], columns: dict[str, Column]) -> list[pa.Array]:
    return [build([row.get(name) for row in rows], column.kind) for name, column in columns.items()]


def _frame_table(name: str, outcomes: Sequence[Outcome], plan: TablePlan) -> pa.Table:
    """The rows of a frame of all outcomes, in their order."""
    having = [outcome for outcome in outcomes if name in outcome.frames]
    groups = by_stored([outcome.frames[name] for outcome in having])
    if not groups:
        return plan.schema.empty_table()
    parts = [_group_rows(name, [having[place] for place in group], plan) for group in groups]
    if len(parts) == 1:
        return parts[0]
    counts = [outcome.frames[name].n_rows for outcome in having]
    owners = np.concatenate([np.repeat(group, np.take(counts, group)) for group in groups])
    rows = pa.concat_tables(parts)
    if np.all(np.diff(owners) >= 0):
        return rows  # in order already: to take them would copy all nulls
    return rows.take(pa.array(np.argsort(owners, kind="stable")))


def _group_rows(name: str, outcomes: Sequence[Outcome], plan: TablePlan) -> pa.Table:
    """The rows of outcomes that share a stored table."""
    frames = [outcome.frames[name] for outcome in outcomes]
    counts = [frame.n_rows for frame in frames]
    # Which outcome each row belongs to: the values of a spec are repeated for its rows.
    owners = np.repeat(np.arange(len(frames)), counts)
    numbers = pa.array(np.arange(len(owners)) - np.cumsum([0, *counts])[owners], pa.int64())
    stored = stored_rows(frames)
    is_numbered = all(frame.is_numbered for frame in frames)
    places = {column: place for place, column in enumerate(stored.column_names)}
    # A frame of few columns beside a wide one lacks thousands: those of one type are one array.
    nulls = cache(partial(pa.nulls, stored.num_rows))

    def own(column: str, wanted: Column) -> pa.Array | pa.ChunkedArray:
        if column in places:
            return cast(stored.column(places[column]), wanted.kind)
        if column == UNNAMED and plan.has_numbers and is_numbered:
            return cast(numbers, wanted.kind)
        return nulls(wanted.kind)

    def level(name: str, wanted: Column) -> pa.Array | pa.ChunkedArray:
        if name in plan.own_levels:
            return own(name, wanted)
        if name == SUBINDEX:
            return numbers
        values = build([outcome.levels.get(name) for outcome in outcomes], wanted.kind)
        return values.take(pa.array(owners))

    arrays = [own(column, wanted) for column, wanted in plan.columns.items()]
    arrays += [level(name, wanted) for name, wanted in plan.levels.items()]
    return pa.table(arrays, schema=plan.schema)
