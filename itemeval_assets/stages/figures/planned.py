"""The planned cells of a study as the frames that `measurement` reads.

A cell that is not done has a row without a score, so that nothing is left out in silence. The
columns of condition ids hold labels, which are as unique, for these are what people read.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.cell_table import Answers
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.money.providers import is_mock
from itemeval_assets.core.records.served import Served, served_words
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.measurement.columns import counted, shortened
from itemeval_assets.measurement.numeric import LARGEST
from itemeval_assets.stages.views.cells import CellView
from itemeval_assets.storage.study.store import ResultsStore

from .item_columns import CELL_COLUMNS, ItemColumns

__all__ = ["LENGTH", "NOT_PLANNED", "TEXT", "PlannedCells", "require_measurable", "require_scores"]

NOT_PLANNED = "not_planned"
_SHOWN = 5
_MOCKS = "Models named mockllm/... are mock models: what they score says nothing of real ones."
# Among the events: how many characters the solution has.
LENGTH = "solution_length"
# Among the events: a number for each text of a solution, which equal ones share.
TEXT = "solution_text"
_KEY = ["item_id", "replication"]


@dataclass(frozen=True)
class PlannedCells:
    """The cells that a policy covers, and those that are there besides."""

    study: Study
    store: ResultsStore
    items: pa.Table
    policy: str | None = None

    @property
    def policy_name(self) -> str:
        return run_plan(self.study.config, self.policy).policy

    @property
    def replications(self) -> int:
        return run_plan(self.study.config, self.policy).replications

    @property
    def cluster(self) -> str | None:
        """The column of clusters; null where each item is one by itself."""
        name = self.study.config.measurement.cluster
        return None if name == "item_id" else name

    @cached_property
    def checked_cluster(self) -> str | None:
        """`cluster`, for estimates. Raises MeasurementError where an item has no value of it."""
        if self.cluster is None:
            return None
        of_item = self.columns.by_item(self.cluster)
        empty = [name for name, value in of_item.items() if value is None]
        if empty:
            raise MeasurementError(
                f"measurement.cluster: {counted(len(empty), 'item')} without {self.cluster}:"
                f" {shortened(empty, _SHOWN)}. Give each one, or name another column."
            )
        return self.cluster

    @property
    def level(self) -> float:
        return self.study.config.measurement.level

    @cached_property
    def is_graded(self) -> bool:
        """Whether any partition of the study has gradings."""
        return not {*self.study.grade_partitions()}.isdisjoint(self.store.partitions("gradings"))

    @property
    def not_graded(self) -> str:
        """What to say of a study without any grading."""
        return f"nothing is graded yet: itemeval-assets run {self.study.config_path}"

    @property
    def about_mocks(self) -> list[str]:
        """What to say beside figures that mock models have made."""
        design = self.study.design
        answering = [one.model for one in design.generate]
        grading = [one.grader.call.model for one in design.grade if one.grader.call]
        return [_MOCKS] if any(map(is_mock, [*answering, *grading])) else []

    @cached_property
    def columns(self) -> ItemColumns:
        """The columns of the items."""
        return ItemColumns(self.items, self.study.metadata_columns)

    @property
    def own_columns(self) -> list[str]:
        """The columns that all estimates need besides those of every cell."""
        return [self.cluster] if self.cluster else []

    def by_partition(
        self,
        partitions: Iterable[Partition],
        *,
        tags: Sequence[str] = (),
        events: Sequence[str] = (),
        unplanned: bool = False,
    ) -> Iterator[tuple[Partition, pa.Table]]:
        """The cells of each generate x grade partition; one is in memory at a time.

        `tags` are columns of the items, `events` further ones of gradings_long. `unplanned`: with
        those that the policy does not cover.
        """
        for partition in partitions:
            answers = self._answers_of(partition.solutions)
            table = self._view.read(self.store, partition, answers)
            rows = self.prepared(partition, table, tags=tags, unplanned=unplanned)
            yield partition, self._with_events(rows, partition, events) if events else rows

    def prepared(
        self,
        partition: Partition,
        table: pa.Table,
        *,
        tags: Sequence[str] = (),
        unplanned: bool = False,
    ) -> pa.Table:
        """One partition of the table `cells`, as `by_partition` gives it."""
        rows = table.select(CELL_COLUMNS)
        if not unplanned:
            rows = rows.filter(pc.not_equal(rows["state"], NOT_PLANNED))  # type: ignore[attr-defined]
        return self.columns.joined(self._labelled(rows, partition), tags)

    def of_grader(
        self,
        grader: GradeCondition,
        generate: Collection[str] | None = None,
        *,
        tags: Sequence[str] = (),
        events: Sequence[str] = (),
    ) -> pa.Table:
        """The cells of one grade condition, of the generate conditions without waves or of some."""
        return self.of_graders([grader], generate, tags=tags, events=events)

    def of_graders(
        self,
        graders: Iterable[GradeCondition],
        generate: Collection[str] | None = None,
        *,
        tags: Sequence[str] = (),
        events: Sequence[str] = (),
    ) -> pa.Table:
        """The cells of several grade conditions, as one table; waves are in it only by name."""
        ids = {grader.id for grader in graders}
        asked = {one.id for one in self.study.design.first_asked} if generate is None else generate
        wanted = [
            partition
            for partition in self.study.grade_partitions()
            if partition.grade in ids and partition.generate in asked
        ]
        columns = [*self.own_columns, *tags]
        found = self.by_partition(wanted, tags=columns, events=events)
        # A study of a million gradings repeats its few labels in a gigabyte of text.
        return pa.concat_tables([_with_coded_texts(rows) for _, rows in found])

    def _labelled(self, rows: pa.Table, partition: Partition) -> pa.Table:
        labels = self.study.design.labels_of(partition)
        for name, label in zip(("gen_condition_id", "grade_condition_id"), labels, strict=True):
            column = pa.repeat(pa.scalar(label), rows.num_rows)
            rows = rows.set_column(rows.column_names.index(name), name, column)
        return rows

    def _answers_of(self, condition: Partition) -> Answers:
        """Once for all graders: fingerprints of the solutions, without their texts."""
        if condition not in self._answers:
            self._answers[condition] = self._view.read_answers(self.store, condition)
        return self._answers[condition]

    @cached_property
    def _answers(self) -> dict[Partition, Answers]:
        return {}

    @property
    def served(self) -> Mapping[Partition, Served]:
        """What replies say that they are of, in the partitions that were read so far."""
        return self._view.served

    @property
    def notes_on_served(self) -> list[str]:
        """What is to be said of them: models that differ within a condition."""
        label_of = self.study.design.label_of
        return list(served_words({label_of(part): found for part, found in self.served.items()}))

    @cached_property
    def _view(self) -> CellView:
        return CellView(self.study, self.items, self.policy)

    def _with_events(self, rows: pa.Table, partition: Partition, events: Sequence[str]) -> pa.Table:
        wanted = ["solution" if name in (LENGTH, TEXT) else name for name in events]
        found = self.store.read("gradings_long", [partition], list(dict.fromkeys([*_KEY, *wanted])))
        grid = self._view.grid
        here, there = (grid.places_of(*table.select(_KEY).columns) for table in (rows, found))
        row_of = np.full(len(grid), -1)
        inside = np.flatnonzero(there >= 0)
        row_of[there[inside]] = inside
        taken = row_of[here]
        index = pa.array(taken, mask=taken < 0)
        for name, column in zip(events, wanted, strict=True):
            values = found[column]
            if name == LENGTH:
                values = pc.utf8_length(values)  # type: ignore[attr-defined]
            elif name == TEXT:
                values = _numbered(values)
            rows = rows.append_column(name, values.take(index))
        return rows


def _with_coded_texts(rows: pa.Table) -> pa.Table:
    """The same rows, each text once."""
    coded = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column
        for column in rows.columns
    ]
    return pa.table(coded, rows.column_names)


def _numbered(texts: pa.ChunkedArray) -> pa.Array:
    """A number for each text, the same in each partition; null where there is none."""
    coded: Any = texts.combine_chunks().dictionary_encode()
    numbers = pa.array(map(hash, coded.dictionary.to_pylist()), pa.int64())
    return numbers.take(coded.indices)


def require_measurable(cells: pa.Table) -> None:
    """Raise MeasurementError for scores that no square can be taken of."""
    largest = pc.max(pc.abs(cells["score"])).as_py()  # type: ignore[attr-defined]
    if largest is not None and largest > LARGEST:
        raise MeasurementError(
            f"Scores reach {largest:.3g}: so large ones cannot be averaged. Look at these replies,"
            " and declare the scale in the rubric."
        )


def require_scores(cells: pa.Table) -> None:
    """Raise MeasurementError where no cell has a score, or one that cannot be measured."""
    if cells["score"].null_count == cells.num_rows:
        raise MeasurementError("No cell has a score.")
    require_measurable(cells)
