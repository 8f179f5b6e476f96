"""Which cells are pending: one predicate for runs, status, estimates and schedules.

A cell is (item_id, epoch) inside one partition. It is pending when it is missing,
errored, stale, or blank under `on_empty: rerun`; `force` makes every cell pending.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

__all__ = [
    "Cell",
    "Plan",
    "classify_gradings",
    "classify_solutions",
    "count_states",
    "is_blank",
    "plan_cells",
    "solution_fingerprint",
]

Row = Mapping[str, Any]
State = Literal["done", "missing", "errored", "blank", "stale"]


class Cell(NamedTuple):
    """One item and one replication of a partition."""

    item_id: str
    epoch: int


class Plan(NamedTuple):
    """The cells of one partition to call, and those that must not be answered by the cache."""

    cells: list[Cell]
    fresh: set[Cell]


def is_blank(text: str | None) -> bool:
    return text is None or not text.strip()


def solution_fingerprint(solution: str | None) -> str:
    """First 16 hex of the sha256 of the solution's text; blank and null are the same."""
    text = "" if solution is None or is_blank(solution) else solution
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def classify_solutions(cells: Iterable[Cell], stored: Iterable[Row]) -> dict[Cell, State]:
    """The state of each cell given the stored rows (item_id, epoch, solution, error)."""
    rows = {Cell(row["item_id"], row["epoch"]): row for row in stored}
    return {cell: _solution_state(rows.get(cell)) for cell in cells}


def _solution_state(row: Row | None) -> State:
    if row is None:
        return "missing"
    if row["error"] is not None:
        return "errored"
    return "blank" if is_blank(row["solution"]) else "done"


def classify_gradings(
    cells: Iterable[Cell], solutions: Iterable[Row], stored: Iterable[Row], on_empty: str
) -> dict[Cell, State]:
    """The state of each gradable cell of a generate x grade partition.

    Only cells with a solution can be graded; blank ones only under `on_empty: grade`.
    Reads item_id, epoch, solution, error of solutions, and item_id, epoch, error,
    solution_hash of gradings.
    """
    wanted = set(cells)
    rows = {Cell(row["item_id"], row["epoch"]): row for row in stored}
    states: dict[Cell, State] = {}
    for solution in solutions:
        cell = Cell(solution["item_id"], solution["epoch"])
        if cell in wanted and _gradable(solution, on_empty):
            states[cell] = _grading_state(rows.get(cell), solution)
    return states


def _gradable(solution: Row, on_empty: str) -> bool:
    if solution["error"] is not None:
        return False
    return on_empty == "grade" or not is_blank(solution["solution"])


def _grading_state(row: Row | None, solution: Row) -> State:
    if row is None:
        return "missing"
    if row["error"] is not None:
        return "errored"
    if row["solution_hash"] != solution_fingerprint(solution["solution"]):
        return "stale"
    return "done"


def plan_cells(states: Mapping[Cell, State], *, rerun_blank: bool, force: bool) -> Plan:
    """The pending cells, in the order given.

    Forced and blank cells are asked afresh: the response cache would only repeat what is
    already there.
    """
    if force:
        return Plan(list(states), set(states))
    wanted = {"missing", "errored", "stale"} | ({"blank"} if rerun_blank else set())
    cells = [cell for cell, state in states.items() if state in wanted]
    return Plan(cells, {cell for cell in cells if states[cell] == "blank"})


def count_states(states: Mapping[Cell, State]) -> dict[str, int]:
    """How many cells are in each state."""
    return dict(Counter(states.values()))
