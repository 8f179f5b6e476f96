"""Which final tables a run has, and which columns of which types, found shard by shard."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from itemeval_assets.experiments.frames.kinds import Kind
from itemeval_assets.experiments.frames.kinds_of_values import kind_of, kind_of_column
from itemeval_assets.experiments.frames.pandas_schema import Column, pandas_schema
from itemeval_assets.experiments.spec.files import file_fields, leaves, whole_annotation
from itemeval_assets.experiments.spec.index import BASE_LEVELS, SUBINDEX, UNNAMED, merged_order
from itemeval_assets.experiments.spec.models import ExperimentOutputSpec, scalar_fields

from .outcomes import FrameRows, by_stored, stored_rows
from .shard_output import ShardOutput

SCALARS = "scalars"
FILES = "result_file_refs"
ERRORS = "errors"
_DECLARED = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


@dataclass(frozen=True)
class TablePlan:
    """The columns and the index levels of one final table.

    `own_levels` are the levels that come with the rows of a frame rather than with their spec.
    With `has_numbers`, the level of an index without a name is of integers: it has the row
    numbers where an index was no more than these.
    """

    columns: dict[str, Column]
    levels: dict[str, Column]
    own_levels: frozenset[str] = frozenset()
    has_numbers: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        return pandas_schema(self.columns, self.levels)


@dataclass
class _Columns:
    """Columns seen so far: their order, types, and how many of their values are not null."""

    order: list[str] = field(default_factory=list)
    kinds: dict[str, Kind] = field(default_factory=dict)
    present: Counter[str] = field(default_factory=Counter)
    n_rows: int = 0

    def add_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.n_rows += len(rows)
        self.order = merged_order([self.order, *dict.fromkeys(tuple(row) for row in rows)])
        for name in self.order:
            values = [row.get(name) for row in rows]
            self._see(name, kind_of(values), len(values) - values.count(None))

    def add_table(self, table: pa.Table) -> None:
        self.n_rows += table.num_rows
        if not set(table.column_names) <= self.kinds.keys():
            self.order = merged_order([self.order, table.column_names])
        for name, column in zip(table.column_names, table.columns, strict=True):
            self._see(name, kind_of_column(column), len(column) - column.null_count)

    def _see(self, name: str, kind: Kind, present: int) -> None:
        self.kinds[name] = self.kinds.get(name, Kind()) | kind
        self.present[name] += present

    def column(self, name: str) -> Column:
        return Column(self._kind(name).arrow(), self.present[name] < self.n_rows)

    def level(self, name: str, numbered: int = 0) -> Column:
        """A level that has the row numbers in `numbered` rows of tables that have it not."""
        has_nulls = self.present[name] + numbered < self.n_rows
        kind = self._kind(name) | kind_of([0] if numbered else [])
        return Column(kind.arrow_of_level(has_nulls), has_nulls)

    def _kind(self, name: str) -> Kind:
        return self.kinds.get(name, Kind())


@dataclass
class _Frame:
    """A frame seen so far: its columns, and which of them are index levels of its own."""

    columns: _Columns = field(default_factory=_Columns)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    several: bool = False
    numbered: int = 0

    def add(self, frames: Sequence[FrameRows]) -> None:
        for group in by_stored(frames):
            members = [frames[place] for place in group]
            table = stored_rows(members)
            self.columns.add_table(table)
            if UNNAMED not in table.column_names and all(rows.is_numbered for rows in members):
                self.numbered += table.num_rows
        self.before = merged_order([self.before, *dict.fromkeys(r.levels_before for r in frames)])
        self.after = merged_order([self.after, *dict.fromkeys(r.levels_after for r in frames)])
        self.several = self.several or any(rows.n_rows > 1 for rows in frames)

    def plan(self, spec_levels: dict[str, Column]) -> TablePlan:
        # A name that is a level of other specs stays a column: it means something else there.
        before = [name for name in self.before if name not in spec_levels]
        after = [name for name in self.after if name not in spec_levels and name not in before]
        subindex = {SUBINDEX: Column(pa.int64())} if self.several else {}
        own = {name: self.columns.level(name) for name in (*before, *after)}
        has_numbers = UNNAMED in own and pa.types.is_integer(self.columns.column(UNNAMED).kind)
        if has_numbers:
            own[UNNAMED] = self.columns.level(UNNAMED, self.numbered)
        levels = {
            **spec_levels,
            **{name: own[name] for name in before},
            **subindex,
            **{name: own[name] for name in after},
        }
        columns = [name for name in self.columns.order if name not in own]
        kinds = {name: self.columns.column(name) for name in columns}
        return TablePlan(kinds, levels, frozenset(own), has_numbers)


class Survey:
    """What the shards of a run hold. `add` each of them, then ask for the `plan`."""

    def __init__(self, output_type: type[ExperimentOutputSpec]) -> None:
        self.output_type = output_type
        self.succeeded = 0
        self.failed = 0
        self._levels = _Columns(order=list(BASE_LEVELS))
        self._scalars = _Columns(order=list(scalar_fields(output_type)))
        self._files = _Columns(order=list(file_fields(output_type)))
        self._frames: dict[str, _Frame] = {}

    def add(self, shard: ShardOutput) -> None:
        successes = [outcome for outcome in shard.outcomes if outcome.failure is None]
        self.succeeded += len(successes)
        self.failed += len(shard.outcomes) - len(successes)
        self._levels.add_rows([outcome.levels for outcome in shard.outcomes])
        self._scalars.add_rows([outcome.scalars for outcome in successes])
        self._files.add_rows([outcome.files for outcome in successes])
        frames: dict[str, list[FrameRows]] = {}
        for outcome in successes:
            for name, rows in outcome.frames.items():
                frames.setdefault(name, []).append(rows)
        for name, found in frames.items():
            self._frames.setdefault(name, _Frame()).add(found)

    def plan(self) -> dict[str, TablePlan]:
        """The final tables by name."""
        levels = {name: self._levels.level(name) for name in self._levels.order}
        tables = {SCALARS: TablePlan(self._scalar_columns(), levels)}
        if self._files.order:
            text = {name: Column(pa.string()) for name in self._files.order}
            tables[FILES] = TablePlan(text, levels)
        if self.failed:
            text = {name: Column(pa.string()) for name in ("error_type", "message", "traceback")}
            tables[ERRORS] = TablePlan(text, levels)
        for name, frame in self._frames.items():
            tables[name] = frame.plan(levels)
        return tables

    def _scalar_columns(self) -> dict[str, Column]:
        """Columns of values; where there is none but null, of the declared type."""
        columns = {name: self._scalars.column(name) for name in self._scalars.order}
        for name, column in columns.items():
            if pa.types.is_null(column.kind) and name in self.output_type.model_fields:
                declared = _declared_type(self.output_type, name)
                columns[name] = Column(declared, column.has_nulls)
        return columns


def _declared_type(output_type: type[ExperimentOutputSpec], name: str) -> pa.DataType:
    annotation = whole_annotation(output_type.model_fields[name])
    kinds = {leaf for leaf in leaves(annotation) if leaf is not type(None)}
    return _DECLARED.get(kinds.pop(), pa.null()) if len(kinds) == 1 else pa.null()
