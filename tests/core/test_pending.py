"""Which cells are pending: the one predicate of runs, status and estimates."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.pending import (
    Cell,
    Plan,
    classify_gradings,
    classify_solutions,
    count_states,
    is_blank,
    plan_cells,
    solution_fingerprint,
)
from tests.rows import grading, solution

CELL = st.builds(Cell, st.sampled_from(["q1", "q2", "q3"]), st.integers(1, 3))
GRID = st.lists(CELL, unique=True)


@st.composite
def solutions(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for cell in draw(GRID):
        text = draw(st.sampled_from([None, "", " \n", "4", "five"]))
        error = draw(st.sampled_from([None, None, "timeout"]))
        rows.append(solution(*cell, text=text, error=error))
    return rows


@st.composite
def gradings(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for cell in draw(GRID):
        of = draw(st.sampled_from(["", "4", "five", "six"]))
        error = draw(st.sampled_from([None, None, "timeout"]))
        rows.append(grading(*cell, of=of, error=error))
    return rows


@pytest.mark.parametrize("text", [None, "", " ", "\n\t\u2003"])
def test_blank(text: str | None) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text or ''}x")


def test_blank_solutions_have_one_fingerprint() -> None:
    prints = {solution_fingerprint(text) for text in (None, "", " \n")}
    assert len(prints) == 1
    assert prints.isdisjoint({solution_fingerprint("4"), solution_fingerprint("4 ")})


@given(st.text(), st.text(st.characters() | st.characters(categories=["Cs"])))
def test_a_fingerprint_stands_for_the_text(text: str, other: str) -> None:
    assert len(solution_fingerprint(other)) == 16
    same = text == other or (is_blank(text) and is_blank(other))
    assert (solution_fingerprint(text) == solution_fingerprint(other)) == same


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (None, "missing"),
        (solution(), "done"),
        (solution(text=None), "blank"),
        (solution(text=" "), "blank"),
        (solution(text=None, error="timeout"), "errored"),
        (solution(text="4", error="timeout"), "errored"),
        (solution(text=None, error=""), "errored"),
    ],
)
def test_states_of_solutions(row: dict[str, Any] | None, state: str) -> None:
    cell = Cell("q1", 1)
    assert classify_solutions([cell], [row] if row else []) == {cell: state}


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (None, "missing"),
        (grading(), "done"),
        (grading(score=None), "done"),
        (grading(score=None, error="timeout"), "errored"),
        (grading(of="5"), "stale"),
        (grading(of="5", error="timeout"), "errored"),
        (grading(solution_hash=None), "stale"),
    ],
)
def test_states_of_gradings(row: dict[str, Any] | None, state: str) -> None:
    cell = Cell("q1", 1)
    stored = [row] if row else []
    assert classify_gradings([cell], [solution()], stored, "skip") == {cell: state}


@pytest.mark.parametrize("on_empty", ["skip", "rerun", "grade"])
def test_only_answers_are_graded_and_blanks_where_the_study_says_so(on_empty: str) -> None:
    found = [
        solution("answer"),
        solution("blank", text=None),
        solution("failed", text=None, error="timeout"),
    ]
    cells = [Cell(name, 1) for name in ("answer", "blank", "failed", "missing")]
    expected = {"answer", "blank"} if on_empty == "grade" else {"answer"}
    states = classify_gradings(cells, found, [], on_empty)
    assert {cell.item_id for cell in states} == expected


def test_a_grading_of_a_blank_is_not_stale() -> None:
    cell, blank = Cell("q1", 1), solution(text=None)
    assert classify_gradings([cell], [blank], [grading(of="")], "grade") == {cell: "done"}


def test_solutions_outside_the_cells_are_left_alone() -> None:
    found = [solution("q1"), solution("q2")]
    assert list(classify_gradings([Cell("q2", 1)], found, [], "skip")) == [Cell("q2", 1)]
    assert list(classify_solutions([Cell("q2", 1)], found)) == [Cell("q2", 1)]


@given(GRID, solutions(), st.booleans())
def test_done_and_pending_make_up_the_grid(
    grid: list[Cell], stored: list[dict[str, Any]], rerun_blank: bool
) -> None:
    states = classify_solutions(grid, stored)
    plan = plan_cells(states, rerun_blank=rerun_blank, force=False)
    settled = {"done"} if rerun_blank else {"done", "blank"}
    done = [cell for cell in grid if states[cell] in settled]
    assert Counter([*done, *plan.cells]) == Counter(grid)
    assert sum(count_states(states).values()) == len(grid)


@given(GRID, solutions(), gradings(), st.sampled_from(["skip", "rerun", "grade"]))
def test_done_pending_and_waiting_make_up_the_grid_of_a_grading(
    grid: list[Cell],
    found: list[dict[str, Any]],
    stored: list[dict[str, Any]],
    on_empty: str,
) -> None:
    states = classify_gradings(grid, found, stored, on_empty)
    plan = plan_cells(states, rerun_blank=False, force=False)
    done = [cell for cell, state in states.items() if state == "done"]
    waiting = [cell for cell in grid if cell not in states]
    assert Counter([*done, *plan.cells, *waiting]) == Counter(grid)
    sound = {Cell(row["item_id"], row["epoch"]): row for row in found if row["error"] is None}
    assert set(states) == {
        cell
        for cell in grid
        if cell in sound and (on_empty == "grade" or not is_blank(sound[cell]["solution"]))
    }


@given(GRID, solutions(), st.booleans())
def test_force_makes_every_cell_pending_and_asks_it_afresh(
    grid: list[Cell], stored: list[dict[str, Any]], rerun_blank: bool
) -> None:
    states = classify_solutions(grid, stored)
    assert plan_cells(states, rerun_blank=rerun_blank, force=True) == Plan(grid, set(grid))


def test_a_blank_is_asked_afresh_and_an_error_may_come_from_the_cache() -> None:
    cells = [Cell(name, 1) for name in ("a", "b", "c", "d", "e")]
    states = dict(zip(cells, ("missing", "errored", "blank", "stale", "done"), strict=True))
    plan = plan_cells(states, rerun_blank=True, force=False)  # type: ignore[arg-type]
    assert plan == Plan(cells[:4], {cells[2]})
    plan = plan_cells(states, rerun_blank=False, force=False)  # type: ignore[arg-type]
    assert plan == Plan([cells[0], cells[1], cells[3]], set())
