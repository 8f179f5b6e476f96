"""Rubrics that models write for items: which are there, and which gradings wait for one.

A rubric is of an item, whatever is graded by it: of the cells of a grid, it is the first
replication of each item.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from .pending import STATES, Gradable, Grid, States, classify_solutions

RUBRIC_STATE_COLUMNS = ["item_id", "epoch", "rubric", "error"]
# What gradings need to know of a rubric.
HASH_COLUMNS = [*RUBRIC_STATE_COLUMNS, "item_rubric_hash"]
_DIGITS = 12
# In the place of a hash: of a rubric that a run is about to have written.
_TO_COME = "(to come)"


class Lacking(NamedTuple):
    """The gradings of one condition that wait for a rubric.

    `cells`: bool[cells]; `errors`: object[cells], what the call of the rubric failed with.
    """

    cells: np.ndarray
    errors: np.ndarray


def rubric_hash(text: str) -> str:
    """First 12 hex of the sha256 of a rubric's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def classify_rubrics(grid: Grid, rubrics: pa.Table) -> States:
    """The state of each rubric, in the place of its item's first replication.

    Reads RUBRIC_STATE_COLUMNS.
    """
    columns = [rubrics[name] for name in RUBRIC_STATE_COLUMNS]
    return classify_solutions(grid, pa.table(columns, ["item_id", "epoch", "solution", "error"]))


def by_rubrics(
    gradable: Gradable, rubrics: pa.Table, coming: np.ndarray | None = None
) -> tuple[Gradable, Lacking]:
    """What of some solutions can be graded by rubrics that are written, and what waits for one.

    Where a solution could be graded and its rubric is not there, the state is that of the rubric.
    `coming`: bool[cells], whose rubrics count as there, and as other ones than any so far. Reads
    HASH_COLUMNS.
    """
    grid = gradable.grid
    hashes, failed = _of_items(grid, rubrics)
    errors = failed.to_numpy(zero_copy_only=False)
    if coming is not None:
        known = hashes.to_numpy(zero_copy_only=False)
        hashes = pa.array(np.where(coming, _TO_COME, known), pa.string())
    lacks = gradable.mask & ~are_written(grid, rubrics, coming)
    codes = gradable.states.codes.copy()
    codes[lacks] = STATES.index("missing")
    codes[lacks & failed.is_valid().to_numpy(zero_copy_only=False)] = STATES.index("errored")
    found = gradable._replace(
        states=States(grid, codes), mask=gradable.mask & ~lacks, rubrics=hashes
    )
    return found, Lacking(lacks, errors)


def are_written(grid: Grid, rubrics: pa.Table, coming: np.ndarray | None = None) -> np.ndarray:
    """bool[cells]: whether the item has a rubric, or gets one. Reads HASH_COLUMNS."""
    found = _of_items(grid, rubrics)[0].is_valid().to_numpy(zero_copy_only=False)
    return found if coming is None else found | coming


def _of_items(grid: Grid, rubrics: pa.Table) -> tuple[pa.Array, pa.Array]:
    """string[cells] twice: the hash of each cell's rubric, and what its call failed with.

    Both are null where there is nothing to tell.
    """
    size, places = grid.replications, grid.places(rubrics)
    row_of = np.full(len(grid), -1)
    inside = np.flatnonzero(places >= 0)
    row_of[places[inside]] = inside
    row_of = np.repeat(row_of[::size], size)
    rows = pa.array(row_of, mask=row_of < 0)
    hashes, errors = (
        rubrics[name].combine_chunks().take(rows) for name in ("item_rubric_hash", "error")
    )
    return hashes, errors


def texts_of(rubrics: pa.Table) -> Mapping[str, str]:
    """{item_id: its rubric} of those that are there."""
    rows = rubrics.select(["item_id", "rubric", "error"]).to_pylist()
    return {row["item_id"]: row["rubric"] for row in rows if row["rubric"] and not row["error"]}
