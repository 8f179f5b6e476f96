"""Rubrics that models write for items: whose partitions they are, and what waits for them."""

import numpy as np
import pyarrow as pa
import pytest

from itemeval_assets.core.design.cells.item_rubrics import are_written, by_rubrics, rubric_hash
from itemeval_assets.core.design.cells.pending import (
    GRADING_STATE_COLUMNS,
    Grid,
    classify_gradings,
    gradable_solutions,
    solution_fingerprint,
)
from itemeval_assets.core.design.partitions import GENERATE, RUBRIC, Partition
from itemeval_assets.core.tables.schemas import ITEM_RUBRICS, arrow_schema
from itemeval_assets.core.tables.upsert import upsert

GRID = Grid(["a", "b", "c", "d"], 2)
# b failed, c is blank, d is not there.
WRITTEN = pa.table(
    {
        "item_id": ["a", "b", "c"],
        "epoch": pa.array([1, 1, 1], pa.int32()),
        "rubric": pa.array(["ten points", None, None], pa.string()),
        "error": pa.array([None, "not today", None], pa.string()),
        "item_rubric_hash": pa.array([rubric_hash("ten points"), None, None], pa.string()),
    }
)


@pytest.mark.parametrize(
    ("id", "stage"),
    [
        ("rubric_tailored--0123456789ab", RUBRIC),
        ("rubric_a-b--0123456789ab", RUBRIC),
        ("rubric_short_default--0123456789ab", GENERATE),
        ("rubrics-1_short_default--0123456789ab", GENERATE),
    ],
)
def test_the_stage_of_a_partition_is_read_off_its_id(id: str, stage: object) -> None:
    assert Partition((id,)).stage is stage


def solutions(items: str) -> pa.Table:
    cells = [(item, epoch) for item in items for epoch in (1, 2)]
    return pa.table(
        {
            "item_id": [item for item, _ in cells],
            "epoch": pa.array([epoch for _, epoch in cells], pa.int32()),
            "solution": [f"of {item}" for item, _ in cells],
            "error": pa.nulls(len(cells), pa.string()),
        }
    )


def test_an_answer_waits_for_the_rubric_of_its_item() -> None:
    gradable = gradable_solutions(GRID, solutions("abc"), "skip")
    found, lacking = by_rubrics(gradable, WRITTEN)
    assert found.mask.tolist() == [True, True] + 6 * [False]
    assert lacking.cells.tolist() == [False, False] + 4 * [True] + [False, False]
    assert found.states.counts() == {"done": 2, "errored": 2, "missing": 4}
    assert lacking.errors.tolist()[2:4] == ["not today"] * 2
    coming = np.repeat([False, True, False, True], 2)
    found, _ = by_rubrics(gradable, WRITTEN, coming)
    assert found.mask.tolist() == 4 * [True] + 4 * [False]
    assert are_written(GRID, WRITTEN, coming).tolist() == 4 * [True] + [False, False, True, True]


@pytest.mark.parametrize(("text", "state"), [("ten points", "done"), ("nine points", "stale")])
def test_a_grading_by_another_text_is_stale(text: str, state: str) -> None:
    gradable, _ = by_rubrics(gradable_solutions(GRID, solutions("a"), "skip"), WRITTEN)
    values = {
        "item_id": "a",
        "epoch": 1,
        "error": None,
        "solution_hash": solution_fingerprint("of a"),
        "scorer_version": None,
        "item_rubric_hash": rubric_hash(text),
    }
    types = {name: pa.int32() if name == "epoch" else pa.string() for name in GRADING_STATE_COLUMNS}
    gradings = pa.Table.from_pylist([values], schema=pa.schema([*types.items()]))
    counts = classify_gradings(gradable, gradings, (None,)).counts()
    assert counts == {"waiting": 6, "missing": 1, state: 1}


def rubric(text: str, uuid: str, edited: bool) -> pa.Table:
    row = {
        **dict.fromkeys(arrow_schema(ITEM_RUBRICS).names, "x"),
        **dict.fromkeys(("error", "edited_by", "edited_at", "stop_reason")),
        **{column.name: None for column in ITEM_RUBRICS.columns if column.type != "string"},
        "epoch": 1,
        "rubric": text,
        "sample_uuid": uuid,
        "edited": edited,
    }
    return pa.Table.from_pylist([row], schema=arrow_schema(ITEM_RUBRICS))


@pytest.mark.parametrize(
    ("stored", "new", "stays"),
    [
        # A log that is read again does not bring back what a person has changed.
        (("new", "1", True), ("old", "1", False), "new"),
        (("old", "1", False), ("new", "1", True), "new"),
        (("new", "1", True), ("newer", "1", True), "newer"),
        # A call that was made again, with --force, is newer than the edit.
        (("new", "1", True), ("other", "2", False), "other"),
    ],
)
def test_which_text_stays(
    stored: tuple[str, str, bool], new: tuple[str, str, bool], stays: str
) -> None:
    found = upsert(ITEM_RUBRICS, rubric(*stored), rubric(*new))
    assert found.rows["rubric"].to_pylist() == [stays]
    assert found.replaced.num_rows == (stored[1] != new[1])
