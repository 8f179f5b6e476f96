"""The keyed upsert: which row stays when two have one key.

An answer beats a blank answer, a blank answer beats an error, and among equals the
newer row stays: a later failure never erases an earlier result. A grading of a
solution that has since changed counts for less than any grading of the present one.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .schemas import Table

_ERROR, _STALE, _BLANK, _ANSWER = range(4)
_ANSWERS = {"solutions": "solution", "gradings": "judge_completion", "item_rubrics": "rubric"}


class Upserted(NamedTuple):
    """`rows`: the table after the upsert, sorted by key. `replaced`: the rows that lost."""

    rows: pa.Table
    replaced: pa.Table


def upsert(table: Table, stored: pa.Table, new: pa.Table) -> Upserted:
    """Merge `new` into `stored`, keeping one row per key of `table`.

    Both have the table's schema. Repeated keys inside `new` follow the same rule, later
    rows being newer. A row upserted again under its own sample_uuid has not been replaced.
    """
    both = pa.concat_tables([stored, new]).combine_chunks()
    if not both.num_rows:
        return Upserted(both, both)
    group = _groups(both.select(list(table.key)))
    # Stable: of equals in key and rank, the newer row comes last.
    order = np.lexsort((_rank(table, both, group), group))
    is_last = np.append(np.diff(group[order]) != 0, True)
    return Upserted(
        both.take(order[is_last]), _paid(both.take(order[~is_last]), both, order[is_last])
    )


def _paid(lost: pa.Table, both: pa.Table, kept: np.ndarray) -> pa.Table:
    """Of the rows that lost, those of calls that no row tells of any more, each call once."""
    if "sample_uuid" not in lost.column_names:
        return lost
    # Without a uuid there was no call, so nothing was paid that could be forgotten.
    uuid = lost["sample_uuid"]
    told = pc.is_in(uuid, value_set=both["sample_uuid"].take(kept))  # type: ignore[attr-defined]
    lost = lost.filter(pc.and_(uuid.is_valid(), pc.invert(told)))  # type: ignore[attr-defined]
    newest_first = _codes(lost["sample_uuid"])[::-1]
    _, places = np.unique(newest_first, return_index=True)
    return lost.take(np.sort(lost.num_rows - 1 - places))


def _groups(keys: pa.Table) -> np.ndarray:
    """int64[rows]: numbers that order rows as their keys do; the same for the same key."""
    group = np.zeros(keys.num_rows, np.int64)
    for column in keys.columns:
        codes = _codes(column)
        _, group = np.unique(group * (codes.max() + 1) + codes, return_inverse=True)
    return group


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """int64[rows]: the place of each value among all, smallest first; 0 for a null."""
    ranks = pc.rank(column, "ascending", tiebreaker="dense")  # type: ignore[attr-defined]
    return np.where(column.is_valid(), ranks, 0).astype(np.int64)


def _rank(table: Table, rows: pa.Table, group: np.ndarray) -> np.ndarray:
    """int8[rows]: what a row is worth against others of its key."""
    rank = np.full(rows.num_rows, _ANSWER, np.int8)
    answer = _ANSWERS.get(table.name)
    if answer is not None:
        text = pc.utf8_trim_whitespace(rows[answer].fill_null(""))  # type: ignore[attr-defined]
        blank = pc.equal(text, "").to_numpy()  # type: ignore[attr-defined]
        is_error = rows["error"].is_valid().to_numpy()
        if table.name == "gradings":
            # Without a log there was no call, and so no reply that could be blank.
            rank[blank & rows["log_file"].is_valid().to_numpy()] = _BLANK
            rank[_of_changed_solution(rows, group, is_error)] = _STALE
        elif table.name == "item_rubrics":
            rank[blank] = _BLANK
            rank[_of_edited_reply(rows)] = _STALE
        else:
            rank[blank] = _BLANK
        rank[is_error] = _ERROR
    return rank


def _of_edited_reply(rows: pa.Table) -> np.ndarray:
    """Rubrics as a model wrote them, of which a person has changed the text."""
    edited = rows["edited"].to_numpy()
    changed = rows["sample_uuid"].filter(pa.array(edited)).drop_null()
    is_changed = pc.is_in(rows["sample_uuid"], value_set=changed)  # type: ignore[attr-defined]
    return is_changed.to_numpy() & ~edited


def _of_changed_solution(rows: pa.Table, group: np.ndarray, is_error: np.ndarray) -> np.ndarray:
    """Gradings of another solution, or by another rubric of the item, than the newest sound row of
    the key."""
    graded, rubric = _codes(rows["solution_hash"].fill_null("")), rows["item_rubric_hash"]
    newest = np.full(group.max() + 1, -1)
    sound = np.flatnonzero(~is_error)
    newest[group[sound]] = sound  # of several the last
    place = newest[group]
    is_other = graded != graded[place]
    if rubric.null_count < len(rubric):
        by = _codes(rubric.fill_null(""))
        is_other |= by != by[place]
    return (place >= 0) & is_other
