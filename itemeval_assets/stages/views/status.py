"""status: how far a study is, without a call. Uses the predicate of the runs."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.anchors import Anchors
from itemeval_assets.core.design.cell_table import Answers, answers_of, cell_states
from itemeval_assets.core.design.item_rubrics import RUBRIC_STATE_COLUMNS, classify_rubrics
from itemeval_assets.core.design.partitions import (
    GENERATE,
    PAID,
    RUBRIC,
    NamedPartition,
    Partition,
)
from itemeval_assets.core.design.pending import (
    GRADING_STATE_COLUMNS,
    SOLUTION_STATE_COLUMNS,
    STATES,
    Cell,
    Grid,
    States,
    classify_solutions,
)
from itemeval_assets.core.design.sampling import Sample
from itemeval_assets.core.design.study import RunPlan, Study, run_plan
from itemeval_assets.core.design.tranches import tranche_of
from itemeval_assets.core.money.losses import Loss
from itemeval_assets.core.records.batches import WaitingBatch
from itemeval_assets.core.records.failures import ErrorCount, most_frequent
from itemeval_assets.core.records.precision import PrecisionLook, words_of_look
from itemeval_assets.core.records.served import Served, served_words
from itemeval_assets.core.records.unread import UnreadLog
from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.stages import items, ledger
from itemeval_assets.stages.calls import batches, losses, unread
from itemeval_assets.stages.calls.stage_run import grid_of
from itemeval_assets.stages.items import notes_on_data
from itemeval_assets.stages.views.cells import served_in
from itemeval_assets.storage.study.attempts import read_attempts
from itemeval_assets.storage.study.inputs.tranches import read_look
from itemeval_assets.storage.study.store import ResultsStore

from .rubrics import stored_rubrics
from .seals import notes_on_seals

Row = dict[str, Any]
# The policy that takes all of the design.
FULL = "full-interactive"


@dataclass(frozen=True)
class PartitionStatus:
    """Counts of cells of one partition, by the states of `core.cells`.

    Of a generate condition, `done` cells have an answer. `without_solution`: {state: cells} of
    gradings whose solution has to be there first; they are in the counts, in the state of their
    solution. `usd` is null when rows were paid for and no price is known. `settled`: the done cells
    of a judge that the scorer before it has graded, without a call. `by_people`: no run changes
    its cells. `edited`: of rubrics that a model writes, those whose text a person has changed.
    """

    partition: Partition
    label: str
    cells: int
    done: int = 0
    unparsed: int = 0
    blank: int = 0
    stale: int = 0
    errored: int = 0
    missing: int = 0
    truncated: int = 0
    usd: float | None = 0.0
    without_solution: dict[str, int] = field(default_factory=dict)
    settled: int = 0
    by_people: bool = False
    edited: int = 0

    def own(self, state: str) -> int:
        """The cells in a state that a run of this partition by itself can change."""
        if self.by_people:
            return 0
        return getattr(self, state) - self.without_solution.get(state, 0)


@dataclass(frozen=True)
class StudyStatus:
    """The completion matrix. `not_in_design`: stored partitions that the YAML no longer has.

    `given_up`: partitions that the schedule of re-runs does not ask for any more. `is_older`: the
    tables lie as an earlier version wrote them, until a run writes to them. `unmetered`: models
    that answered without a usage that can be. `lost`: booked calls of which no evidence is left.
    `unread`: logs whose calls are in no table, and in `usd` only where they are booked.
    `spent_on`: the models that `usd` was spent on. `config` is the path of the YAML. `items` and
    `replications` are those of the policy, `design_items` and `design_replications` all.
    `sample`: what the items were drawn from; null: they are all. `notes`: what to know of the data
    and the seals. `model_sample`: how the models were drawn, in words; null: the YAML names them.
    `batches`: those whose answers are not collected. `tranche`: with `precision`, the
    items that are bought so far or now; `precision`: the last look. `rubrics`: those that models
    write, an item a cell.
    """

    study: str
    policy: str
    items: int
    replications: int
    usd: float | None
    generate: list[PartitionStatus] = field(default_factory=list)
    grade: list[PartitionStatus] = field(default_factory=list)
    not_in_design: list[NamedPartition] = field(default_factory=list)
    given_up: list[NamedPartition] = field(default_factory=list)
    is_older: bool = False
    unmetered: list[str] = field(default_factory=list)
    lost: list[Loss] = field(default_factory=list)
    spent_on: list[str] = field(default_factory=list)
    config: str = ""
    unread: list[UnreadLog] = field(default_factory=list)
    design_items: int = 0
    design_replications: int = 0
    sample: Sample | None = None
    notes: list[str] = field(default_factory=list)
    model_sample: str | None = None
    batches: list[WaitingBatch] = field(default_factory=list)
    tranche: int | None = None
    precision: PrecisionLook | None = None
    rubrics: list[PartitionStatus] = field(default_factory=list)

    @property
    def parts(self) -> list[PartitionStatus]:
        """Those of all stages, in the order of a run."""
        return [*self.generate, *self.rubrics, *self.grade]

    @property
    def is_partial(self) -> bool:
        """Whether the policy leaves out items or replications of the design."""
        return self.items < self.design_items or self.replications < self.design_replications

    def looked_at(self, look: PrecisionLook) -> "StudyStatus":
        """The same after another look."""
        others = [note for note in self.notes if note not in _words_of_look(self)]
        found = replace(self, precision=look, notes=others)
        return replace(found, notes=[*others, *_words_of_look(found)])


def _words_of_look(status: StudyStatus) -> list[str]:
    look = status.precision
    if look is None:
        return []
    words = words_of_look(look, status.design_items, status.usd)
    if status.tranche and status.tranche > look.n_items:
        words += f" {status.tranche:,} items are begun; a run completes them."
    return [words]


def survey(study: Study, store: ResultsStore, policy: str | None = None) -> StudyStatus:
    """Read every partition and count its cells by state. Before the first run all are missing.

    Raises StoreError for a table, and DatasetError for data, that cannot be read.
    """
    extent = run_plan(study.config, policy)
    found = items.known(study, store)
    known_items, sample = found.table, found.sample
    grid = grid_of(known_items, extent)
    anchors, tranche = _anchors(study, known_items, extent), tranche_of(study, extent)
    generate, grade = [], []
    rubrics = stored_rubrics(study, store)
    rows: dict[Partition, int] = {}
    served: dict[str, Served] = {}
    for condition in study.design.generate:
        generated = Partition((condition.id,))
        solutions = _solutions(store, generated)
        rows[generated] = solutions.num_rows
        answers = _answers(study, grid, solutions, rubrics)
        has, served[condition.label] = anchors.of(generated), served_in(solutions)
        generate.append(_generate_status(generated, condition.label, answers, solutions, has))
        for other in study.design.grade:
            if not study.design.crosses(condition, other):
                continue
            pair = Partition((condition.id, other.id))
            label, gradings = study.design.label_of(pair), _gradings(store, pair)
            served[label] = served_in(gradings)
            seen = answers.seen_by(other.grader)
            # What a scorer has settled before a judge was no call.
            rows[pair] = gradings["scorer_version"].null_count
            codes = cell_states(seen, gradings, other.grader.versions)
            found = _grade_status(pair, label, seen, gradings, codes, anchors.of(pair))
            if other.grader.after:
                found = replace(found, settled=_settled(answers.grid, gradings, codes))
            grade.append(replace(found, by_people=other.grader.by_people))
    written = [
        _rubric_status(study, store, grid, part, anchors) for part in study.rubric_partitions()
    ]
    known = {*study.partitions()}
    stored = [part for table in PAID for part in store.partitions(table)]
    for one in study.rubric_partitions():
        rows[one] = store.read("item_rubrics", [one], ["item_id"]).num_rows
    booked = ledger.ledger(store)
    status = StudyStatus(
        study.name,
        extent.policy,
        len(grid) // extent.replications,
        extent.replications,
        _sum(booked),
        generate,
        grade,
        study.named(partition for partition in stored if partition not in known),
        study.named(_given_up(study, store)),
        store.is_older(),
        ledger.unmetered_models(booked.to_pylist()),
        losses.losses(study, store),
        sorted({row["model"] for row in booked.to_pylist() if row["usd"]}),
        str(study.config_path),
        unread.unread_logs(study, store, rows),
        known_items.num_rows,
        study.config.facets.replications,
        sample,
        [
            *notes_on_data(study, store),
            *served_words(served),
            *notes_on_seals(study, store, known_items),
        ],
        study.model_sample,
        batches.waiting_batches(store, partial(cells_to_call, study, store)),
        tranche=None if tranche is None else min(tranche, known_items.num_rows),
        rubrics=written,
    )
    look = None if tranche is None else read_look(study.name, study.location)
    return status if look is None else status.looked_at(look)


def cells_to_call(study: Study, store: ResultsStore, partition: Partition) -> list[Cell]:
    """The cells of a partition that a run of the whole design calls; none outside of the design."""
    if partition not in study.partitions():
        return []
    found = incomplete_cells(study, store, partition, FULL)
    return [Cell(cell["item_id"], cell["epoch"]) for cell in found]


def frequent_errors(
    study: Study, store: ResultsStore, partitions: Iterable[Partition], policy: str | None = None
) -> list[ErrorCount]:
    """The most frequent error texts among the cells of these partitions."""
    grid = grid_of(store.read("items", columns=["item_id"]), run_plan(study.config, policy))
    texts: list[str] = []
    for partition in partitions:
        rows = store.read(partition.stage.table, [partition], ["item_id", "epoch", "error"])
        places = grid.places(rows).tolist()
        errors = rows["error"].to_pylist()
        texts += [
            error for error, place in zip(errors, places, strict=True) if error and place >= 0
        ]
    return most_frequent(texts, os.environ)


def scorer_failures(
    study: Study, store: ResultsStore, partitions: Iterable[Partition]
) -> list[ErrorCount]:
    """The most frequent messages of code of others among the gradings of these partitions."""
    conditions = study.design.grade_by_id
    own = [part for part in partitions if conditions[part.grade].grader.program]
    if not own:
        return []
    rows = store.read("gradings", own, ["parse_error", "reasoning"])
    failed = rows.filter(rows["parse_error"].is_valid()).to_pylist()
    return most_frequent([row["reasoning"] or row["parse_error"] for row in failed], os.environ)


def _given_up(study: Study, store: ResultsStore) -> list[Partition]:
    most = study.config.automation.max_attempts
    return [part for part, tried in read_attempts(store).items() if tried.made >= most]


def incomplete_cells(
    study: Study, store: ResultsStore, partition: Partition, policy: str | None = None
) -> list[Row]:
    """Cells of one partition without a sound row: missing, errored or stale.

    A blank answer counts as complete, unless the study runs blanks again, and so does a cell that
    people have not rated: they rate a sample.
    """
    if study.design.is_rated(partition):
        return []
    known_items, extent = items.known(study, store).table, run_plan(study.config, policy)
    grid = grid_of(known_items, extent)
    has = _anchors(study, known_items, extent).of(partition)
    solutions = _solutions(store, partition.solutions)
    if partition.stage is RUBRIC:
        names, codes = STATES, classify_rubrics(grid, _rubrics(store, partition)).codes
    elif partition.stage is GENERATE:
        names, codes = STATES, classify_solutions(grid, solutions).codes
    else:
        answers = _answers(study, grid, solutions, stored_rubrics(study, store))
        if condition := study.design.grade_by_id.get(partition.grade):
            answers = answers.seen_by(condition.grader)
        names, versions = CELL_STATES, study.design.versions(partition)
        codes = cell_states(answers, _gradings(store, partition), versions)
    wanted = {"missing", "errored", "stale"}
    if study.config.solvers.on_empty == "rerun" or partition.stage is RUBRIC:
        wanted.add("blank")
    places = [place for place, code in enumerate(codes) if names[code] in wanted and has[place]]
    return [
        {**cell._asdict(), "state": names[codes[place]]}
        for cell, place in zip(grid.cells(places), places, strict=True)
    ]


def _anchors(study: Study, known_items: pa.Table, extent: RunPlan) -> Anchors:
    ids = known_items["item_id"].to_pylist()
    tranche = tranche_of(study, extent)
    return Anchors(study.design, ids, extent.replications, extent.items_limit, tranche)


def _solutions(store: ResultsStore, partition: Partition) -> pa.Table:
    columns = [*SOLUTION_STATE_COLUMNS, "sample_uuid", "stop_reason", "usd", "served_model"]
    return store.read("solutions", [partition], columns)


def _rubrics(store: ResultsStore, partition: Partition) -> pa.Table:
    columns = [*RUBRIC_STATE_COLUMNS, "stop_reason", "usd", "edited"]
    return store.read("item_rubrics", [partition], columns)


def _answers(
    study: Study, grid: Grid, solutions: pa.Table, rubrics: Mapping[str, pa.Table]
) -> Answers:
    """The solutions of a generate condition, all of whose cells are planned."""
    planned = np.ones(len(grid), bool)
    on_empty, is_task = study.config.solvers.on_empty, study.config.benchmark.ref is not None
    return answers_of(grid, planned, solutions, on_empty, is_task, rubrics)


def _gradings(store: ResultsStore, partition: Partition) -> pa.Table:
    columns = [*GRADING_STATE_COLUMNS, "parse_error", "usd", "served_model"]
    return store.read("gradings", [partition], columns)


def _generate_status(
    partition: Partition, label: str, answers: Answers, solutions: pa.Table, has: np.ndarray
) -> PartitionStatus:
    """`has`: bool[cells], those that the partition has."""
    cut = pc.equal(solutions["stop_reason"], "max_tokens")  # type: ignore[attr-defined]
    counts: dict[str, Any] = States(answers.grid, answers.states.codes[has]).counts()
    return PartitionStatus(
        partition,
        label,
        int(has.sum()),
        truncated=pc.sum(cut).as_py() or 0,  # type: ignore[attr-defined]
        usd=_sum(solutions),
        **counts,
    )


def _rubric_status(
    study: Study, store: ResultsStore, grid: Grid, partition: Partition, anchors: Anchors
) -> PartitionStatus:
    rubrics, has = _rubrics(store, partition), anchors.of(partition)
    counts: dict[str, Any] = States(grid, classify_rubrics(grid, rubrics).codes[has]).counts()
    cut = pc.equal(rubrics["stop_reason"], "max_tokens")  # type: ignore[attr-defined]
    return PartitionStatus(
        partition,
        study.design.label_of(partition),
        int(has.sum()),
        truncated=pc.sum(cut).as_py() or 0,  # type: ignore[attr-defined]
        usd=_sum(rubrics),
        edited=pc.sum(rubrics["edited"]).as_py() or 0,  # type: ignore[attr-defined]
        **counts,
    )


def _grade_status(
    partition: Partition,
    label: str,
    answers: Answers,
    gradings: pa.Table,
    codes: np.ndarray,
    has: np.ndarray,
) -> PartitionStatus:
    return PartitionStatus(
        partition,
        label,
        int(has.sum()),
        usd=_sum(gradings),
        without_solution=_counts(codes[has & ~answers.gradable.mask]),
        **_counts(codes[has]),
    )


def _settled(grid: Grid, gradings: pa.Table, codes: np.ndarray) -> int:
    """How many done cells are graded by a scorer."""
    places = grid.places(gradings.filter(gradings["scorer_version"].is_valid()))
    return int((codes[places[places >= 0]] == CELL_STATES.index("done")).sum())


def _counts(codes: np.ndarray) -> dict[str, Any]:
    """{state: cells} of the states that any cell is in."""
    sums = np.bincount(codes, minlength=len(CELL_STATES)).tolist()
    return {state: count for state, count in zip(CELL_STATES, sums, strict=True) if count}


def _sum(rows: pa.Table) -> float | None:
    """The known USD of some rows; null where there are rows and no price is known."""
    if not rows.num_rows:
        return 0.0
    return pc.sum(rows["usd"]).as_py()  # type: ignore[attr-defined]
