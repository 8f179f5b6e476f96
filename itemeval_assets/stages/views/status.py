"""status: how far a study is, without a call. Uses the predicate of the runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.cell_table import Answers, cell_states
from itemeval_assets.core.design.cells.item_rubrics import classify_rubrics
from itemeval_assets.core.design.cells.pending import Grid, States
from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.items.sampling import Sample
from itemeval_assets.core.design.partitions import PAID, NamedPartition, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.losses import Loss
from itemeval_assets.core.records.batches import WaitingBatch
from itemeval_assets.core.records.precision import PrecisionLook, words_of_look
from itemeval_assets.core.records.served import Served, served_words
from itemeval_assets.core.records.unread import UnreadLog
from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.core.text.words import counted
from itemeval_assets.stages import ledger
from itemeval_assets.stages.calls import batches
from itemeval_assets.stages.calls.recovery import losses, unread
from itemeval_assets.stages.items import notes_on_data
from itemeval_assets.stages.views.cells import served_in
from itemeval_assets.storage.study.attempts import read_attempts
from itemeval_assets.storage.study.inputs.tranches import read_look
from itemeval_assets.storage.study.store import ResultsStore

from .incomplete import cells_to_call
from .seals import notes_on_seals
from .states import StudyStates

_LACKING = ("missing", "errored")


@dataclass(frozen=True)
class PartitionStatus:
    """Counts of cells of one partition, by the states of `core.cells`.

    Of a generate condition, `done` cells have an answer. `without_solution`: {state: cells} of
    gradings whose solution has to be there first; they are in the counts, in the state of their
    solution. Of a generate condition whose answers come from logs alone: those that no log
    has. `usd` is null when rows were paid for and no price is known. `settled`: the done cells of a
    judge that the scorer before it has graded, without a call. `by_people`: no run changes its
    cells. `edited`: of rubrics that a model writes, those whose text a person has changed.
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
        others = [note for note in self.notes if note not in self.words_of_look]
        found = replace(self, precision=look, notes=others)
        return replace(found, notes=[*others, *found.words_of_look])

    @property
    def words_of_look(self) -> list[str]:
        """How precise the study is, by the last look; nothing before the first."""
        look, most = self.precision, self.design_items
        if look is None:
            return []
        words = words_of_look(look, most, self.usd, self.sample.of if self.sample else None)
        if self.tranche and self.tranche > look.n_items:
            words += f" {self.tranche:,} items are begun; a run completes them."
        return [words]


def survey(study: Study, store: ResultsStore, policy: str | None = None) -> StudyStatus:
    """Read every partition and count its cells by state. Before the first run all are missing.

    Raises StoreError for a table, and DatasetError for data, that cannot be read.
    """
    states = StudyStates(study, store, policy)
    matrix, extent, n_items = _Matrix(states), states.extent, states.items.num_rows
    booked = ledger.ledger(store)
    notes = [
        *notes_on_data(study, store),
        *served_words(matrix.served),
        *(words_on_logs(matrix.generate) if study.config.benchmark.from_logs else ()),
        *notes_on_seals(study, store, states.items),
    ]
    status = StudyStatus(
        study.name,
        extent.policy,
        len(states.grid) // extent.replications,
        extent.replications,
        _sum(booked),
        matrix.generate,
        matrix.grade,
        study.named(_not_in_design(study, store)),
        study.named(_given_up(study, store)),
        store.is_older(),
        ledger.unmetered_models(booked.to_pylist()),
        losses.losses(study, store),
        sorted({row["model"] for row in booked.to_pylist() if row["usd"]}),
        str(study.config_path),
        unread.unread_logs(study, store, matrix.rows),
        n_items,
        study.config.facets.replications,
        states.sample,
        notes,
        study.model_sample,
        batches.waiting_batches(store, partial(cells_to_call, study, store)),
        tranche=None if states.tranche is None else min(states.tranche, n_items),
        rubrics=matrix.rubrics,
    )
    look = None if states.tranche is None else read_look(study)
    return status if look is None else status.looked_at(look)


class _Matrix:
    """The counts of all partitions, each of which is read once.

    `rows`: how many rows of a partition are of calls. `served`: which models replies say that they
    are of, by label.
    """

    def __init__(self, states: StudyStates) -> None:
        self._states, self._design = states, states.study.design
        self.generate: list[PartitionStatus] = []
        self.grade: list[PartitionStatus] = []
        self.rows: dict[Partition, int] = {}
        self.served: dict[str, Served] = {}
        self.rubrics = [self._written(part) for part in states.study.rubric_partitions()]
        for condition in self._design.generate:
            answers = self._add_solutions(condition)
            for other in self._design.grade:
                if self._design.crosses(condition, other):
                    self._add_gradings(Partition((condition.id, other.id)), answers, other)

    def _written(self, partition: Partition) -> PartitionStatus:
        rubrics = self._states.rubrics(partition)
        self.rows[partition] = rubrics.num_rows
        has, label = self._states.anchors.of(partition), self._design.label_of(partition)
        return _rubric_status(partition, label, self._states.grid, rubrics, has)

    def _add_solutions(self, condition: GenerateCondition) -> Answers:
        partition, label = Partition((condition.id,)), condition.label
        solutions, has = self._states.solutions(partition), self._states.anchors.of(partition)
        self.rows[partition], self.served[label] = solutions.num_rows, served_in(solutions)
        answers = self._states.answers(solutions)
        found = _generate_status(partition, label, answers, solutions, has)
        from_logs = self._states.study.config.benchmark.from_logs
        self.generate.append(_as_in_logs(found) if from_logs else found)
        return answers

    def _add_gradings(self, partition: Partition, answers: Answers, other: GradeCondition) -> None:
        label, has = self._design.label_of(partition), self._states.anchors.of(partition)
        gradings, seen = self._states.gradings(partition), answers.seen_by(other.grader)
        # What a scorer has settled before a judge was no call.
        self.rows[partition] = gradings["scorer_version"].null_count
        self.served[label] = served_in(gradings)
        codes = cell_states(seen, gradings, other.grader.versions)
        found = _grade_status(partition, label, seen, gradings, codes, has)
        if other.grader.after:
            found = replace(found, settled=_settled(answers.grid, gradings, codes))
        self.grade.append(replace(found, by_people=other.grader.by_people))


def _not_in_design(study: Study, store: ResultsStore) -> list[Partition]:
    known = {*study.partitions()}
    stored = [part for table in PAID for part in store.partitions(table)]
    return [partition for partition in stored if partition not in known]


def _given_up(study: Study, store: ResultsStore) -> list[Partition]:
    most = study.config.automation.max_attempts
    return [part for part, tried in read_attempts(store).items() if tried.made >= most]


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


def _as_in_logs(part: PartitionStatus) -> PartitionStatus:
    """The same where no run can make a solution: what is not there comes in by logs."""
    states = ("missing", "errored", "blank")
    lacking = {state: getattr(part, state) for state in states if getattr(part, state)}
    return replace(part, without_solution=lacking)


def words_on_logs(parts: Iterable[PartitionStatus]) -> Iterator[str]:
    """Which solutions no log has: nobody makes them without the code of their task."""
    parts = list(parts)
    missing, errored = (sum(getattr(part, name) for part in parts) for name in _LACKING)
    if missing or errored:
        errors = f", and {counted(errored, 'solution')} failed there" if errored else ""
        verb = "is" if missing == 1 else "are"
        yield (
            f"{counted(missing, 'solution')} {verb} in no log that came in{errors}. No run makes "
            "them: the code of the task is not here (benchmark.adapter: logs). Import more logs, "
            "or write adapter: inspect once the code is here."
        )


def _rubric_status(
    partition: Partition, label: str, grid: Grid, rubrics: pa.Table, has: np.ndarray
) -> PartitionStatus:
    counts: dict[str, Any] = States(grid, classify_rubrics(grid, rubrics).codes[has]).counts()
    cut = pc.equal(rubrics["stop_reason"], "max_tokens")  # type: ignore[attr-defined]
    return PartitionStatus(
        partition,
        label,
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
