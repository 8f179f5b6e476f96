"""Which cells are pending: the one predicate of runs, status and estimates."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.cells.pending import (
    STATES,
    Cell,
    Grid,
    Plan,
    States,
    classify_gradings,
    classify_solutions,
    gradable_solutions,
    is_blank,
    pending_cells,
    solution_fingerprint,
)
from itemeval_assets.core.grading.kinds import SCORERS
from tests.rows import grading, solution, table

Row = dict[str, Any]
VERSIONS = {name: scorer.columns["scorer_version"] for name, scorer in SCORERS.items()}
ITEMS, REPLICATIONS = ["q1", "q2", "q3"], 3
# Stored rows may be of items and replications that the grid does not have any more.
CELL = st.builds(Cell, st.sampled_from([*ITEMS, "gone"]), st.integers(1, REPLICATIONS + 1))
CELLS = st.lists(CELL, unique=True)
GRIDS = st.builds(Grid, st.lists(st.sampled_from(ITEMS), unique=True), st.integers(1, REPLICATIONS))


def scored(name: str, **values: Any) -> Row:
    """A grading by a scorer, under the rules of today unless told otherwise."""
    own: dict[str, Any] = {"scorer_version": VERSIONS.get(name), **values}
    return grading(grade_kind="verifiable", scorer_name=name, **own)


def solution_states(grid: Grid, rows: list[Row]) -> States:
    return classify_solutions(grid, table("solutions", rows))


def grading_states(
    grid: Grid, found: list[Row], rows: list[Row], on_empty: str, scorer: str | None = None
) -> States:
    gradable = gradable_solutions(grid, table("solutions", found), on_empty)
    version = VERSIONS.get(scorer or "")
    return classify_gradings(gradable, table("gradings", rows), (version,) if version else None)


@st.composite
def solutions(draw: st.DrawFn) -> list[Row]:
    rows = []
    for cell in draw(CELLS):
        text = draw(st.sampled_from([None, "", " \n", "4", "five", "\x1c\u2003", "é"]))
        error = draw(st.sampled_from([None, None, "timeout"]))
        rows.append(solution(*cell, text=text, error=error))
    return rows


SCORER = st.sampled_from([None, "numeric", "exact_match"])


@st.composite
def gradings(draw: st.DrawFn) -> tuple[str | None, list[Row]]:
    """Who grades a partition, and its rows."""
    rows, scorer = [], draw(SCORER)
    for cell in draw(CELLS):
        of = draw(st.sampled_from(["", "4", "five", "six"]))
        error = draw(st.sampled_from([None, None, "timeout"]))
        version = draw(st.sampled_from([None, "1", VERSIONS["numeric"]]))
        names: Row = {"scorer_name": scorer, "scorer_version": version}
        rows.append(grading(*cell, of=of, error=error, **names))
    return scorer, rows


def solution_rule(row: Row | None) -> str:
    """The state of a cell, said row by row."""
    if row is None:
        return "missing"
    if row["error"] is not None:
        return "errored"
    return "blank" if is_blank(row["solution"]) else "done"


def grading_rule(solved: Row | None, row: Row | None, on_empty: str) -> str | None:
    """The state of a gradable cell, said row by row; None for one that waits."""
    wanted = {"done", "blank"} if on_empty == "grade" else {"done"}
    if solved is None or solution_rule(solved) not in wanted:
        return None
    if row is None:
        return "missing"
    if row["error"] is not None:
        return "errored"
    same = row["solution_hash"] == solution_fingerprint(solved["solution"])
    current = row["scorer_version"] == VERSIONS.get(row["scorer_name"])
    return "done" if same and (row["scorer_name"] is None or current) else "stale"


def cells_in(states: States, *names: str) -> list[Cell]:
    """The cells that are in one of these states."""
    wanted = [STATES.index(name) for name in names]
    return states.grid.cells(np.flatnonzero(np.isin(states.codes, wanted)).tolist())


def state_of(states: States) -> dict[Cell, str]:
    """{cell: state} of all cells that do not wait."""
    return {cell: name for name in STATES[1:] for cell in cells_in(states, name)}


def by_cell(rows: list[Row]) -> dict[Cell, Row]:
    return {Cell(row["item_id"], row["epoch"]): row for row in rows}


@pytest.mark.parametrize("text", [None, "", " ", "\n\t\u2003"])
def test_blank(text: str | None) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text or ''}x")


@given(st.lists(st.none() | st.text(), max_size=8), st.integers(0, 8), st.integers(0, 3))
def test_a_column_has_the_fingerprints_of_its_texts(
    texts: list[str | None], cut: int, skipped: int
) -> None:
    """However its rows lie in memory: in chunks, and in parts of chunks."""
    items = [f"q{n}" for n in range(len(texts))]
    rows = [solution(name, 1, text=text) for name, text in zip(items, texts, strict=True)]
    whole = table("solutions", [*[solution("gone", 1)] * skipped, *rows])
    found = pa.concat_tables([whole[skipped : skipped + cut], whole[skipped + cut :]])
    gradable = gradable_solutions(Grid(items, 1), found, "grade")
    assert gradable.fingerprints.to_pylist() == list(map(solution_fingerprint, texts))


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
def test_states_of_solutions(row: Row | None, state: str) -> None:
    found = solution_states(Grid(["q1"], 1), [row] if row else [])
    assert state_of(found) == {Cell("q1", 1): state}
    assert found.counts() == {state: 1} and cells_in(found, state) == [Cell("q1", 1)]


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
        (scored("numeric"), "done"),
        (scored("numeric", score=None), "done"),
        (scored("numeric", scorer_version=None), "stale"),
        (scored("numeric", scorer_version="1"), "stale"),
        (scored("numeric", scorer_version="1", score=None), "stale"),
        (scored("numeric", of="5"), "stale"),
        (scored("numeric", scorer_version="1", error="x"), "errored"),
        (scored("of_the_user", scorer_version=None), "done"),
    ],
)
def test_states_of_gradings(row: Row | None, state: str) -> None:
    rows, scorer = [row] if row else [], row.get("scorer_name") if row else None
    found = grading_states(Grid(["q1"], 1), [solution()], rows, "skip", scorer)
    assert state_of(found) == {Cell("q1", 1): state}


@pytest.mark.parametrize("on_empty", ["skip", "rerun", "grade"])
def test_only_answers_are_graded_and_blanks_where_the_study_says_so(on_empty: str) -> None:
    found = [
        solution("answer"),
        solution("blank", text=None),
        solution("failed", text=None, error="timeout"),
    ]
    grid = Grid(["answer", "blank", "failed", "missing"], 1)
    expected = {"answer", "blank"} if on_empty == "grade" else {"answer"}
    states = grading_states(grid, found, [], on_empty)
    assert {cell.item_id for cell in state_of(states)} == expected
    assert states.counts() == {"waiting": 4 - len(expected), "missing": len(expected)}


def test_a_grading_of_a_blank_is_not_stale() -> None:
    blank = solution(text=None)
    found = grading_states(Grid(["q1"], 1), [blank], [grading(of="")], "grade")
    assert state_of(found) == {Cell("q1", 1): "done"}


def test_a_grid_goes_item_by_item() -> None:
    grid = Grid(["b", "a"], 2)
    assert len(grid) == 4
    assert grid.cells() == [Cell("b", 1), Cell("b", 2), Cell("a", 1), Cell("a", 2)]
    assert grid.cells([2]) == [Cell("a", 1)]
    rows = table("solutions", [solution("a", 2), solution("b", 1), solution("c"), solution("a", 3)])
    assert grid.places(rows).tolist() == [3, 0, -1, -1]


@given(GRIDS, solutions())
def test_columns_say_what_rows_say_of_solutions(grid: Grid, stored: list[Row]) -> None:
    rows = by_cell(stored)
    expected = {cell: solution_rule(rows.get(cell)) for cell in grid.cells()}
    assert state_of(solution_states(grid, stored)) == expected


@given(GRIDS, solutions(), gradings(), st.sampled_from(["skip", "rerun", "grade"]))
def test_columns_say_what_rows_say_of_gradings(
    grid: Grid, found: list[Row], graded: tuple[str | None, list[Row]], on_empty: str
) -> None:
    scorer, stored = graded
    solved, rows = by_cell(found), by_cell(stored)
    expected = {
        cell: state
        for cell in grid.cells()
        if (state := grading_rule(solved.get(cell), rows.get(cell), on_empty))
    }
    assert state_of(grading_states(grid, found, stored, on_empty, scorer)) == expected


@given(GRIDS, solutions(), st.booleans())
def test_done_and_pending_make_up_the_grid(
    grid: Grid, stored: list[Row], rerun_blank: bool
) -> None:
    states = solution_states(grid, stored)
    plan = pending_cells(states, rerun_blank=rerun_blank, force=False).plan()
    done = cells_in(states, "done") if rerun_blank else cells_in(states, "done", "blank")
    assert Counter([*done, *plan.cells]) == Counter(grid.cells())
    assert sum(states.counts().values()) == len(grid)


@given(GRIDS, solutions(), gradings(), st.sampled_from(["skip", "rerun", "grade"]))
def test_done_pending_and_waiting_make_up_the_grid_of_a_grading(
    grid: Grid, found: list[Row], graded: tuple[str | None, list[Row]], on_empty: str
) -> None:
    scorer, stored = graded
    states = grading_states(grid, found, stored, on_empty, scorer)
    plan = pending_cells(states, rerun_blank=False, force=False).plan()
    parts = [*cells_in(states, "done"), *plan.cells, *cells_in(states, "waiting")]
    assert Counter(parts) == Counter(grid.cells())


@given(GRIDS, solutions(), st.booleans())
def test_force_makes_every_cell_pending_and_asks_it_afresh(
    grid: Grid, stored: list[Row], rerun_blank: bool
) -> None:
    states = solution_states(grid, stored)
    plan = pending_cells(states, rerun_blank=rerun_blank, force=True).plan()
    assert plan == Plan(grid.cells(), set(grid.cells()))


def test_a_blank_is_asked_afresh_and_an_error_may_come_from_the_cache() -> None:
    grid = Grid(["a", "b", "c", "d", "e"], 1)
    states = States(
        grid,
        np.array(
            [STATES.index(s) for s in ("missing", "errored", "blank", "stale", "done")], np.int8
        ),
    )
    cells = grid.cells()
    plan = pending_cells(states, rerun_blank=True, force=False).plan()
    assert plan == Plan(cells[:4], {cells[2]})
    plan = pending_cells(states, rerun_blank=False, force=False).plan()
    assert plan == Plan([cells[0], cells[1], cells[3]], set())
    plan = pending_cells(states, rerun_blank=True, force=False, skip_tried=True).plan()
    assert plan == Plan([cells[0], cells[3]], set())
