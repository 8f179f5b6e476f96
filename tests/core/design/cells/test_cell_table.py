"""Every cell of the design has one state, and it is the one that the runs see."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.cells.cell_table import (
    answers_of,
    cell_table,
    places_in_design,
    planned_cells,
)
from itemeval_assets.core.design.cells.pending import Grid, classify_gradings, gradable_solutions
from itemeval_assets.core.tables.cells import CELL_STATES, CELLS
from itemeval_assets.core.tables.schemas import arrow_schema
from tests.rows import grading, item, solution, table

ITEMS = ["q1", "q2", "q3"]
EVERYTHING = {"items_limit": None, "upto": 2}
ERRORED = {"score": None, "parse_ok": False, "parse_error": None}


def cells(
    solutions: list[dict[str, Any]],
    gradings: list[dict[str, Any]],
    on_empty: str = "skip",
    planned: dict[str, Any] = EVERYTHING,
) -> pa.Table:
    """The cells of three items x two replications."""
    items = table("items", [item(name) for name in ITEMS])
    answers = answers_of(
        Grid(ITEMS, 2),
        planned_cells(len(ITEMS), 2, **planned),
        table("solutions", solutions),
        on_empty,
    )
    columns = ["item_id", "dataset_id", "dataset_revision"]
    names = {name: name if name == "study" else None for name in CELLS.column_names}
    return cell_table(
        answers, table("gradings", gradings), places_in_design(items.select(columns), 2), names
    )


def first(found: pa.Table) -> dict[str, Any]:
    """What is said of the first cell, q1 at its first replication."""
    return {name: found[name][0].as_py() for name in ("state", "stage", "reason", "score")}


def test_a_cell_that_nobody_called_is_missing() -> None:
    found = cells([], [])
    assert found.schema.equals(arrow_schema(CELLS))
    assert found["item_id"].to_pylist() == ["q1", "q1", "q2", "q2", "q3", "q3"]
    assert found["replication"].to_pylist() == [1, 2] * 3
    assert found["study"].to_pylist() == ["study"] * 6
    assert set(found["state"].to_pylist()) == {"missing"}
    assert set(found["stage"].to_pylist()) == {"solutions"}
    assert found["score"].null_count == found["reason"].null_count == 6


@pytest.mark.parametrize(
    ("answer", "graded", "on_empty", "state", "stage", "reason"),
    [
        ({}, {}, "skip", "done", None, None),
        ({}, None, "skip", "missing", "gradings", None),
        ({}, {"score": None}, "skip", "unparsed", "gradings", "no_json_object"),
        ({}, {**ERRORED, "error": "judge down"}, "skip", "errored", "gradings", "judge down"),
        ({"text": "5"}, {"of": "4"}, "skip", "stale", "gradings", None),
        ({"text": "5"}, {"of": "4", "score": None}, "skip", "stale", "gradings", None),
        ({"text": None, "error": "429"}, None, "skip", "errored", "solutions", "429"),
        ({"text": None, "error": "429"}, {}, "skip", "errored", "solutions", "429"),
        ({"text": None}, None, "skip", "blank", "solutions", None),
        ({"text": " "}, None, "rerun", "blank", "solutions", None),
        ({"text": None}, None, "grade", "missing", "gradings", None),
        ({"text": None}, {"of": ""}, "grade", "done", None, None),
    ],
)
def test_the_state_of_a_cell(
    answer: dict[str, Any],
    graded: dict[str, Any] | None,
    on_empty: str,
    state: str,
    stage: str | None,
    reason: str | None,
) -> None:
    rows = [] if graded is None else [grading(**graded)]
    found = first(cells([solution(**answer)], rows, on_empty))
    score = 1.0 if state == "done" else None
    assert found == {"state": state, "stage": stage, "reason": reason, "score": score}


def test_what_the_policy_does_not_cover_is_not_planned_unless_it_is_there() -> None:
    rows = [solution("q3", 2), solution("q2", 2, None, error="429"), solution("q1", 2)]
    found = cells(rows, [grading("q3", 2)], planned={"items_limit": 1, "upto": 1})
    assert found["state"].to_pylist() == [
        "missing",
        "not_planned",
        "not_planned",
        "errored",
        "not_planned",
        "done",
    ]
    assert found["stage"].to_pylist()[1] == "gradings"


def test_rows_outside_of_the_design_are_no_cells() -> None:
    found = cells([solution("q9"), solution("q1", 3)], [grading("q9"), grading("q1", 3)])
    assert set(found["state"].to_pylist()) == {"missing"}


TEXTS = st.sampled_from([None, " ", "4", "5"])
ANSWERS = st.builds(
    lambda place, text, error: solution(place[0], place[1], text, error=error),
    st.tuples(st.sampled_from([*ITEMS, "q9"]), st.integers(1, 3)),
    TEXTS,
    st.sampled_from([None, "429"]),
)
GRADINGS = st.builds(
    lambda place, score, of, error: grading(place[0], place[1], score, of, error=error),
    st.tuples(st.sampled_from([*ITEMS, "q9"]), st.integers(1, 3)),
    st.sampled_from([None, 0.5]),
    st.sampled_from(["", "4", "5"]),
    st.sampled_from([None, "out"]),
)


def by_cell(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(row["item_id"], row["epoch"]): row for row in rows}.values())


@given(
    st.lists(ANSWERS, max_size=8).map(by_cell),
    st.lists(GRADINGS, max_size=8).map(by_cell),
    st.sampled_from(["skip", "rerun", "grade"]),
)
def test_states_are_those_of_the_runs(
    solutions: list[dict[str, Any]], gradings: list[dict[str, Any]], on_empty: str
) -> None:
    found = cells(solutions, gradings, on_empty)
    gradable = gradable_solutions(Grid(ITEMS, 2), table("solutions", solutions), on_empty)
    counts = classify_gradings(gradable, table("gradings", gradings), None).counts()
    states = found["state"].to_pylist()
    here = [
        state
        for state, stage in zip(states, found["stage"].to_pylist(), strict=True)
        if stage != "solutions"
    ]
    assert len(states) == 6 and set(states) <= set(CELL_STATES)
    assert len(here) == 6 - counts.get("waiting", 0)
    for state in ("missing", "errored", "stale"):
        assert here.count(state) == counts.get(state, 0)
    assert here.count("done") + here.count("unparsed") == counts.get("done", 0)
    scored = np.array([score is not None for score in found["score"].to_pylist()])
    assert (scored == (np.array(states) == "done")).all()
