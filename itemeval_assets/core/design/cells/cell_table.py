"""The states of the cells of the design, by the predicates of the runs, in whole columns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.tables.cells import CELL_STATES, CELLS
from itemeval_assets.core.tables.schemas import arrow_schema

from .item_rubrics import by_rubrics
from .pending import (
    STATES,
    Gradable,
    Grid,
    States,
    Versions,
    classify_gradings,
    gradable_in_logs,
    gradable_solutions,
)

_DONE, _UNPARSED, _, _STALE, _ERRORED, _MISSING, _NOT_PLANNED = range(len(CELL_STATES))
_STAGES = ("solutions", "gradings", "item_rubrics")
_NO_RUBRIC = "no rubric is written for this item yet"


class Answers(NamedTuple):
    """The solutions of one generate condition, for the grade conditions that read them.

    `planned`: bool[cells]; `errors`: object[cells], what a call failed with. `in_logs`: what the
    scorers of a task have scored. `rubrics`: those that models have written, by the ids of their
    conditions; `lacks_rubric`: bool[cells], the gradings that wait for one, as a grader sees them.
    """

    grid: Grid
    planned: np.ndarray
    gradable: Gradable
    errors: np.ndarray
    in_logs: Gradable | None = None
    rubrics: Mapping[str, pa.Table] = MappingProxyType({})
    lacks_rubric: np.ndarray | None = None

    @property
    def states(self) -> States:
        return self.gradable.states

    def seen_by(self, grader: Grader) -> "Answers":
        """The same as a grader reads them: the scorers of a task look at its samples.

        Who grades by rubrics that a model writes waits for them.
        """
        if grader.item_rubric:
            found, lacking = by_rubrics(self.gradable, self.rubrics[grader.item_rubric])
            errors = np.where(lacking.cells, lacking.errors, self.errors)
            return self._replace(gradable=found, errors=errors, lacks_rubric=lacking.cells)
        if grader.in_log is None or self.in_logs is None:
            return self
        return self._replace(gradable=self.in_logs)


def planned_cells(items: int, replications: int, items_limit: int | None, upto: int) -> np.ndarray:
    """bool[items x replications]: what a policy covers, of the first items and replications."""
    place = np.arange(items * replications)
    limit = items if items_limit is None else items_limit
    return (place // replications < limit) & (place % replications < upto)


def places_in_design(items: pa.Table, replications: int) -> pa.Table:
    """What says which cell a row of `cells` is, item by item: the same in each partition."""
    place = pa.array(np.repeat(np.arange(items.num_rows), replications))
    epochs = np.tile(np.arange(1, replications + 1, dtype=np.int32), items.num_rows)
    return items.take(place).append_column("replication", pa.array(epochs))


def answers_of(
    grid: Grid,
    planned: np.ndarray,
    solutions: pa.Table,
    on_empty: str,
    is_task: bool = False,
    rubrics: Mapping[str, pa.Table] = MappingProxyType({}),
) -> Answers:
    """Reads SOLUTION_STATE_COLUMNS; of a task also sample_uuid, for its scorers.

    Of `rubrics`, by the ids of their conditions, HASH_COLUMNS.
    """
    gradable = gradable_solutions(grid, solutions, on_empty)
    errors = _texts(grid, grid.places(solutions), solutions["error"])
    in_logs = gradable_in_logs(grid, solutions) if is_task else None
    return Answers(grid, planned, gradable, errors, in_logs, rubrics)


def cell_states(answers: Answers, gradings: pa.Table, versions: Versions | None) -> np.ndarray:
    """int8[cells] of one generate x grade partition: places in CELL_STATES.

    Of a cell without a solution that can be graded, the state is that of the solution. `versions`:
    see `classify_gradings`. Reads GRADING_STATE_COLUMNS and parse_error.
    """
    found = classify_gradings(answers.gradable, gradings, versions)
    mask = answers.gradable.mask
    codes = _in_our_states(np.where(mask, found.codes, answers.states.codes))
    places = answers.grid.places(gradings)
    unread = np.zeros(len(codes), bool)
    unread[places[(places >= 0) & gradings["parse_error"].is_valid().to_numpy()]] = True
    codes[(codes == _DONE) & unread] = _UNPARSED
    codes[(codes == _MISSING) & ~answers.planned] = _NOT_PLANNED
    return codes


def cell_table(
    answers: Answers,
    gradings: pa.Table,
    places: pa.Table,
    names: Mapping[str, str | None],
    versions: Versions | None = None,
    missing: str | None = None,
    unanswered: str | None = None,
) -> pa.Table:
    """The cells of one generate x grade partition, item by item, in the schema of CELLS.

    Reads GRADING_STATE_COLUMNS, score and parse_error of its gradings. `places` is what
    `places_in_design` makes of `item_id`, `dataset_id` and `dataset_revision` of the items, and
    `names` holds what all rows share. `missing`: why a grading is not there, if a run makes none;
    `unanswered`: why a solution is not there.
    """
    grid = answers.grid
    codes = cell_states(answers, gradings, versions)
    mask = answers.gradable.mask
    rows = grid.places(gradings)
    reasons = np.where(mask, _texts(grid, rows, gradings["error"]), answers.errors)
    unread = _texts(grid, rows, gradings["parse_error"])
    reasons = np.where(codes == _UNPARSED, unread, reasons)
    reasons[~np.isin(codes, (_UNPARSED, _ERRORED))] = None
    reasons[mask & np.isin(codes, (_MISSING, _STALE))] = missing
    reasons[~mask & (codes == _MISSING)] = unanswered
    done = codes == _DONE
    stages = mask.astype(np.int8)
    if answers.lacks_rubric is not None:
        stages[answers.lacks_rubric] = _STAGES.index("item_rubrics")
        is_silent = np.array([reason is None for reason in reasons], bool)
        reasons[answers.lacks_rubric & is_silent] = _NO_RUBRIC
    columns = {
        **{name: places[name] for name in places.column_names},
        "score": pa.array(_scores(grid, rows, gradings["score"]), mask=~done),
        "state": pa.array(CELL_STATES).take(pa.array(codes)),
        "stage": pa.array(_STAGES).take(pa.array(stages, mask=done)),
        "reason": pa.array(reasons, pa.string()),
    }
    schema = arrow_schema(CELLS)
    arrays = [
        columns[field.name].cast(field.type)
        if field.name in columns
        else pa.repeat(pa.scalar(names[field.name], field.type), len(grid))
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _in_our_states(codes: np.ndarray) -> np.ndarray:
    """Codes of `pending.STATES` as codes of CELL_STATES. No cell that can be graded waits."""
    ours = [CELL_STATES.index(state) if state in CELL_STATES else _MISSING for state in STATES]
    return np.array(ours, np.int8)[codes]


def _texts(grid: Grid, places: np.ndarray, texts: pa.ChunkedArray) -> np.ndarray:
    """object[cells]: the texts of some rows, each at the place of its cell."""
    found = np.full(len(grid), None, object)
    at = np.flatnonzero((places >= 0) & texts.is_valid().to_numpy())
    found[places[at]] = texts.take(pa.array(at)).to_pylist()
    return found


def _scores(grid: Grid, places: np.ndarray, scores: pa.ChunkedArray) -> np.ndarray:
    found = np.full(len(grid), np.nan)
    inside = places >= 0
    found[places[inside]] = scores.to_numpy()[inside]
    return found
