"""Cells that are not complete: without a sound row, by the predicate of the runs."""

from typing import Any

from itemeval_assets.core.design.cells.cell_table import cell_states
from itemeval_assets.core.design.cells.item_rubrics import classify_rubrics
from itemeval_assets.core.design.cells.pending import STATES, Cell, classify_solutions
from itemeval_assets.core.design.partitions import GENERATE, RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.storage.study.store import ResultsStore

from .states import StudyStates

Row = dict[str, Any]
# The policy that takes all of the design.
FULL = "full-interactive"


def cells_to_call(study: Study, store: ResultsStore, partition: Partition) -> list[Cell]:
    """The cells of a partition that a run of the whole design calls; none outside of the design."""
    if partition not in study.partitions():
        return []
    found = incomplete_cells(study, store, partition, FULL)
    return [Cell(cell["item_id"], cell["epoch"]) for cell in found]


def incomplete_cells(
    study: Study, store: ResultsStore, partition: Partition, policy: str | None = None
) -> list[Row]:
    """Cells of one partition without a sound row: missing, errored or stale.

    A blank answer counts as complete, unless the study runs blanks again, and so does a cell that
    people have not rated: they rate a sample. So does what only a log could bring.
    """
    if study.design.is_rated(partition):
        return []
    states = StudyStates(study, store, policy)
    has = states.anchors.of(partition)
    solutions, from_logs = states.solutions(partition.solutions), study.config.benchmark.from_logs
    if partition.stage is GENERATE and from_logs:
        return []
    if partition.stage is RUBRIC:
        names, codes = STATES, classify_rubrics(states.grid, states.rubrics(partition)).codes
    elif partition.stage is GENERATE:
        names, codes = STATES, classify_solutions(states.grid, solutions).codes
    else:
        answers = states.answers(solutions)
        if condition := study.design.grade_by_id.get(partition.grade):
            answers = answers.seen_by(condition.grader)
        has = has & answers.gradable.mask if from_logs else has
        names, versions = CELL_STATES, study.design.versions(partition)
        codes = cell_states(answers, states.gradings(partition), versions)
    wanted = {"missing", "errored", "stale"}
    if study.config.solvers.on_empty == "rerun":
        wanted.add("blank")
    places = [place for place, code in enumerate(codes) if names[code] in wanted and has[place]]
    return [
        {**cell._asdict(), "state": names[codes[place]]}
        for cell, place in zip(states.grid.cells(places), places, strict=True)
    ]
