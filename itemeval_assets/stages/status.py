"""status: how far a study is, without a call. Uses the predicate of the runs."""

from dataclasses import dataclass, field
from typing import Any

from itemeval_assets.core.pending import (
    Cell,
    State,
    classify_gradings,
    classify_solutions,
    count_states,
)
from itemeval_assets.core.study import Partition, Study, run_plan
from itemeval_assets.storage.attempts import read_attempts
from itemeval_assets.storage.store import ResultsStore

from .solutions import solution_cells
from .stage_run import limited_items

__all__ = ["PartitionStatus", "StudyStatus", "incomplete_cells", "survey"]


Row = dict[str, Any]


@dataclass(frozen=True)
class PartitionStatus:
    """Counts of cells of one partition; `waiting` cells have no solution to grade yet.

    `usd` is null when rows were paid for and no price is known.
    """

    partition: Partition
    label: str
    cells: int
    done: int = 0
    missing: int = 0
    errored: int = 0
    blank: int = 0
    stale: int = 0
    waiting: int = 0
    truncated: int = 0
    parse_failures: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True)
class StudyStatus:
    """The completion matrix. `not_in_design`: stored partitions that the YAML no longer has.

    `given_up`: partitions that the schedule of re-runs does not ask for any more.
    """

    study: str
    policy: str
    items: int
    replications: int
    usd: float | None
    generate: list[PartitionStatus] = field(default_factory=list)
    grade: list[PartitionStatus] = field(default_factory=list)
    not_in_design: list[Partition] = field(default_factory=list)
    given_up: list[Partition] = field(default_factory=list)


def survey(study: Study, store: ResultsStore, policy: str | None = None) -> StudyStatus:
    """Read every partition and count its cells by state. Raises StoreError if unreadable."""
    extent = run_plan(study.config, policy)
    items = limited_items(store.read("items"), extent)
    cells = solution_cells(items, extent)
    labels = {c.id: c.label for c in (*study.design.generate, *study.design.grade)}
    generate, grade = [], []
    for condition in study.design.generate:
        solutions = _solutions(store, condition.id)
        generate.append(_generate_status(condition.id, labels[condition.id], cells, solutions))
        for other in study.design.grade:
            label = f"{labels[condition.id]} | {labels[other.id]}"
            partition = (condition.id, other.id)
            grade.append(_grade_status(study, store, partition, label, cells, solutions))
    known = {*study.generate_partitions(), *study.grade_partitions()}
    stored = store.partitions("solutions") + store.partitions("gradings")
    return StudyStatus(
        study.name,
        extent.policy,
        len(items),
        extent.replications,
        _sum(store.read("ledger", columns=["usd"]).to_pylist()),
        generate,
        grade,
        [partition for partition in stored if partition not in known],
        _given_up(study, store),
    )


def _given_up(study: Study, store: ResultsStore) -> list[Partition]:
    most = study.config.automation.max_attempts
    return [part for part, tried in read_attempts(store).items() if tried.made >= most]


def incomplete_cells(study: Study, store: ResultsStore, partition: Partition) -> list[Row]:
    """Cells of one partition without a sound row: missing, errored or stale.

    A cell that waits for its solution is missing. A blank answer counts as complete, unless
    the study runs blanks again.
    """
    extent = run_plan(study.config)
    cells = solution_cells(limited_items(store.read("items"), extent), extent)
    solutions = _solutions(store, partition[0])
    complete = {"done"} if study.config.solvers.on_empty == "rerun" else {"done", "blank"}
    states: dict[Cell, str] = dict.fromkeys(cells, "missing")
    if len(partition) == 1:
        states.update(classify_solutions(cells, solutions))
    else:
        states.update(_grading_states(study, store, partition, cells, solutions))
        # A blank answer that nobody grades lacks nothing.
        for cell, state in classify_solutions(cells, solutions).items():
            if state == "blank" and study.config.solvers.on_empty == "skip":
                states[cell] = "blank"
    return [
        {**cell._asdict(), "state": state}
        for cell, state in states.items()
        if state not in complete
    ]


def _solutions(store: ResultsStore, condition: str) -> list[Row]:
    columns = ["item_id", "epoch", "solution", "error", "stop_reason", "usd"]
    return store.read("solutions", [(condition,)], columns).to_pylist()


def _gradings(store: ResultsStore, partition: Partition) -> list[Row]:
    columns = ["item_id", "epoch", "error", "solution_hash", "parse_error", "usd"]
    return store.read("gradings", [partition], columns).to_pylist()


def _grading_states(
    study: Study, store: ResultsStore, partition: Partition, cells: list[Cell], solutions: list[Row]
) -> dict[Cell, State]:
    on_empty = study.config.solvers.on_empty
    return classify_gradings(cells, solutions, _gradings(store, partition), on_empty)


def _generate_status(
    condition: str, label: str, cells: list[Cell], solutions: list[Row]
) -> PartitionStatus:
    return PartitionStatus(
        (condition,),
        label,
        len(cells),
        truncated=sum(row["stop_reason"] == "max_tokens" for row in solutions),
        usd=_sum(solutions),
        **count_states(classify_solutions(cells, solutions)),
    )


def _grade_status(
    study: Study,
    store: ResultsStore,
    partition: Partition,
    label: str,
    cells: list[Cell],
    solutions: list[Row],
) -> PartitionStatus:
    gradings = _gradings(store, partition)
    counts = count_states(_grading_states(study, store, partition, cells, solutions))
    return PartitionStatus(
        partition,
        label,
        len(cells),
        waiting=len(cells) - sum(counts.values()),
        parse_failures=sum(row["parse_error"] is not None for row in gradings),
        usd=_sum(gradings),
        **counts,
    )


def _sum(rows: list[Row]) -> float | None:
    known = [row["usd"] for row in rows if row["usd"] is not None]
    return sum(known) if known or not rows else None
