"""The keyed upsert: which row stays when two have one key.

An answer beats a blank answer, a blank answer beats an error, and among equals the
newer row stays: a later failure never erases an earlier result. A grading of a
solution that has since changed counts for less than any grading of the present one.
"""

from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from .schemas import Table

_ERROR, _STALE, _BLANK, _ANSWER = range(4)


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
    ranked = _ranked(table, both)
    order = ranked.sort_values([*table.key, "_rank", "_position"], na_position="first")
    winner = ~order.duplicated(list(table.key), keep="last")
    kept = order[winner]
    lost = order[~winner]
    if "_uuid" in order:
        # Without a uuid there was no call, so nothing was paid that could be forgotten.
        lost = lost[lost["_uuid"].notna() & ~lost["_uuid"].isin(set(kept["_uuid"].dropna()))]
        lost = lost.drop_duplicates("_uuid", keep="last")
    return Upserted(
        both.take(pa.array(kept.index.to_numpy())),
        both.take(pa.array(lost.index.to_numpy(dtype="int64"))),
    )


def _ranked(table: Table, rows: pa.Table) -> pd.DataFrame:
    """The key columns, `_rank`, `_position` and, where rows have one, `_uuid`."""
    frame = rows.select(list(table.key)).to_pandas()
    frame["_position"] = range(len(frame))
    frame["_rank"] = _rank(table, rows, frame)
    if "sample_uuid" in rows.column_names:
        frame["_uuid"] = rows["sample_uuid"].to_pandas()
    return frame


def _rank(table: Table, rows: pa.Table, frame: pd.DataFrame) -> pd.Series:
    rank = pd.Series(_ANSWER, index=frame.index)
    answer = {"solutions": "solution", "gradings": "judge_completion"}.get(table.name)
    if answer is None:
        return rank
    text = rows[answer].to_pandas().fillna("").astype(str)
    blank = text.str.strip() == ""
    if table.name == "gradings":
        # Without a log there was no call, and so no reply that could be blank.
        blank &= rows["log_file"].to_pandas().notna()
        rank[blank] = _BLANK
        rank[_of_changed_solution(table, rows, frame)] = _STALE
    else:
        rank[blank] = _BLANK
    rank[rows["error"].to_pandas().notna()] = _ERROR
    return rank


def _of_changed_solution(table: Table, rows: pa.Table, frame: pd.DataFrame) -> pd.Series:
    """Gradings whose solution differs from the one graded by the newest sound row of the key."""
    graded = rows["solution_hash"].to_pandas().fillna("")
    sound = graded.where(rows["error"].to_pandas().isna())
    newest = sound.groupby([frame[name] for name in table.key]).transform("last")
    return newest.notna() & (graded != newest)
