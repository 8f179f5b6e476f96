"""cells: every cell of the design with its state, read from the stored tables."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.anchors import Anchors
from itemeval_assets.core.design.cells.cell_table import (
    Answers,
    answers_of,
    cell_table,
    places_in_design,
    planned_cells,
)
from itemeval_assets.core.design.cells.pending import (
    GRADING_STATE_COLUMNS,
    SOLUTION_STATE_COLUMNS,
    Grid,
)
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.design.tranches import tranche_of
from itemeval_assets.core.records.served import SERVED_COLUMNS, Served, served_name
from itemeval_assets.core.tables.cells import CELL_STATES, CELLS
from itemeval_assets.core.tables.schemas import arrow_schema
from itemeval_assets.storage.study.store import ResultsStore

from .rubrics import stored_rubrics

_ITEM_COLUMNS = ["item_id", "dataset_id", "dataset_revision"]
_GRADING_COLUMNS = [*GRADING_STATE_COLUMNS, "score", "parse_error", *SERVED_COLUMNS]
_MOST_REASONS = 50
_BY_PEOPLE = "people rate it"
_IN_NO_LOG = "in no log that came in; no run makes it without the code of the task"


class CellView:
    """The cells of a study under a policy."""

    def __init__(self, study: Study, items: pa.Table, policy: str | None = None) -> None:
        self.study, self.plan = study, run_plan(study.config, policy)
        size = study.config.facets.replications
        self.places = places_in_design(items.select(_ITEM_COLUMNS), size)
        self.grid = Grid(items["item_id"].to_pylist(), size)
        self.covered = planned_cells(
            items.num_rows, size, self.plan.items_limit, self.plan.replications
        )
        tranche = tranche_of(study, self.plan)
        ids = items["item_id"].to_pylist()
        self.anchors = Anchors(study.design, ids, size, tranche=tranche)
        # What replies say that they are of, of the partitions that were read.
        self.served: dict[Partition, Served] = {}

    def read(self, store: ResultsStore, partition: Partition, answers: Answers) -> pa.Table:
        """The cells of one generate x grade partition, as they are stored."""
        gradings = store.read("gradings", [partition], _GRADING_COLUMNS)
        self.served[partition] = served_in(gradings)
        return self.table(partition, answers, gradings)

    def read_answers(self, store: ResultsStore, condition: Partition) -> Answers:
        """The stored solutions of one generate condition."""
        columns = [*SOLUTION_STATE_COLUMNS, "sample_uuid", *SERVED_COLUMNS]
        solutions = store.read("solutions", [condition], columns)
        self.served[condition] = served_in(solutions)
        rubrics = stored_rubrics(self.study, store)
        config = self.study.config
        is_task = config.benchmark.ref is not None
        planned = self.planned(condition)
        on_empty = config.solvers.on_empty
        return answers_of(self.grid, planned, solutions, on_empty, is_task, rubrics)

    def planned(self, partition: Partition) -> np.ndarray:
        """bool[cells]: what the policy covers of a partition."""
        return self.covered & self.anchors.of(partition)

    def table(self, partition: Partition, answers: Answers, gradings: pa.Table) -> pa.Table:
        """The cells of one generate x grade partition."""
        grader = self.study.design.grade_by_id[partition.grade].grader
        answers = answers.seen_by(grader)._replace(planned=self.planned(partition))
        shared = {"study": self.study.name, **self.study.design.columns_of(*partition)}
        versions = self.study.design.versions(partition)
        missing = _BY_PEOPLE if grader.by_people else None
        unanswered = _IN_NO_LOG if self.study.config.benchmark.from_logs else None
        return cell_table(answers, gradings, self.places, shared, versions, missing, unanswered)


def served_in(rows: pa.Table) -> Served:
    """What the replies of some rows say that they are of. Reads SERVED_COLUMNS."""
    counts = rows.group_by([*SERVED_COLUMNS]).aggregate([([], "count_all")]).to_pylist()
    return {
        served_name(row["served_model"], row["served_provider"]): row["count_all"]
        for row in counts
        if row["served_model"] is not None
    }


class Reason(NamedTuple):
    """So many cells are in a state for one reason."""

    state: str
    stage: str | None
    reason: str | None
    cells: int


@dataclass(frozen=True)
class CellSurvey:
    """Counts of cells by state, the most frequent reasons, and rows of `cells`.

    The rows also have the labels of their conditions, as `condition` and `graded_by`. `notes`: what
    to know of the data.
    """

    study: str
    policy: str
    cells: int
    states: dict[str, int]
    reasons: list[Reason]
    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)


def tables(
    study: Study,
    store: ResultsStore,
    partitions: Iterable[Partition],
    policy: str | None = None,
    items: pa.Table | None = None,
) -> Iterator[pa.Table]:
    """The cells of each generate x grade partition; one is in memory at a time.

    `items` null: those that are stored.
    """
    view = CellView(study, store.read("items") if items is None else items, policy)
    for condition, parts in groupby(partitions, lambda partition: partition.solutions):
        answers = view.read_answers(store, condition)
        yield from (view.read(store, partition, answers) for partition in parts)


def everything(
    study: Study,
    store: ResultsStore,
    partitions: Iterable[Partition],
    policy: str | None = None,
    states: Collection[str] = CELL_STATES,
    items: pa.Table | None = None,
) -> pa.Table:
    """The cells of these partitions in these states, as one table."""
    found = [_in(states, table) for table in tables(study, store, partitions, policy, items)]
    return pa.concat_tables([arrow_schema(CELLS).empty_table(), *found])


def survey(
    study: Study,
    store: ResultsStore,
    partitions: Iterable[Partition],
    policy: str | None = None,
    states: Collection[str] = CELL_STATES[1:],
    items: pa.Table | None = None,
) -> CellSurvey:
    """Count the cells of these partitions by state; `rows` are those in `states`."""
    counts, reasons, rows = Counter[str](), Counter[tuple[str, str | None, str | None]](), []
    for table in tables(study, store, partitions, policy, items):
        groups = table.group_by(["state", "stage", "reason"]).aggregate([([], "count_all")])
        for group in groups.to_pylist():
            counts[group["state"]] += group["count_all"]
            reasons[group["state"], group["stage"], group["reason"]] += group["count_all"]
        rows += [_labelled(study, row) for row in _in(states, table).to_pylist()]
    ranked = [Reason(*key, number) for key, number in reasons.most_common(_MOST_REASONS)]
    return CellSurvey(
        study.name,
        run_plan(study.config, policy).policy,
        sum(counts.values()),
        {state: counts[state] for state in CELL_STATES if counts[state]},
        [reason for reason in ranked if reason.state != "done"],
        rows,
    )


def _labelled(study: Study, row: dict[str, Any]) -> dict[str, Any]:
    labels = study.design.labels_of((row["gen_condition_id"], row["grade_condition_id"]))
    return {**row, "condition": labels[0], "graded_by": labels[1]}


def _in(states: Collection[str], table: pa.Table) -> pa.Table:
    wanted = pa.array(list(states), pa.string())
    return table.filter(pc.is_in(table["state"], value_set=wanted))  # type: ignore[attr-defined]
