"""Changes between two times, from the scores of both: each a paired difference, later less earlier.

Of a judge there are three sets of scores: the first answers, judged then; the same answers, judged
again; and the answers of a wave, judged when they were given. The first two differ by the judge
alone, and the last two by the model alone, if both were judged at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.measurement import Difference, MeasurementError, compare, holm
from itemeval_assets.measurement.comparisons.pairs import worded

__all__ = ["Change", "Measured", "Of", "as_family", "judge_change", "model_change"]

# What a change is of. `both`: nobody can tell whether of the model or of the judge.
Of = Literal["model", "judge", "both"]
_SIDE = "side"
_KEY = ["gen_condition_id", "item_id", "replication"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change since the first time. `condition` is null where the judge has changed.

    The difference is that of the later scores less the earlier ones.
    """

    time: str
    of: Of
    condition: str | None
    difference: Difference


class Measured(NamedTuple):
    """How differences are estimated: what is a cluster, the scale of the scores, the level."""

    cluster: str | None
    scale: tuple[float, float] | None
    level: float


def model_change(
    later: pa.Table, earlier: pa.Table, names: tuple[str, str], how: Measured
) -> Difference:
    """The scores of new answers less those of the first ones, on the items that both are to have.

    Both tables have the rows of one condition: item_id, score, and the column of clusters.
    Raises MeasurementError where they allow no estimate.
    """
    both = _shared(later["item_id"], earlier["item_id"])
    sides = (_of(rows, rows["item_id"], both) for rows in (later, earlier))
    return _difference(*sides, names=names, how=how)


def judge_change(
    later: pa.Table, earlier: pa.Table, names: tuple[str, str], how: Measured
) -> Difference:
    """The scores that a judge gives now less those of then, for the answers with both.

    The tables may be of several conditions: gen_condition_id and replication tell answers apart.
    """
    keys = [_answers(rows) for rows in (later, earlier)]
    scored = [
        key.filter(rows["score"].is_valid())
        for key, rows in zip(keys, (later, earlier), strict=True)
    ]
    both = _shared(*scored)
    sides = (_of(rows, key, both) for rows, key in zip((later, earlier), keys, strict=True))
    return _difference(*sides, names=names, how=how)


def as_family(changes: Sequence[Change], scale: tuple[float, float] | None) -> list[Change]:
    """The changes with p adjusted by Holm, and the verdicts that follow."""
    p = holm(np.array([one.difference.p_unadjusted for one in changes])).tolist()
    return [
        replace(
            one,
            difference=worded(
                replace(one.difference, p=each),
                scale,
                len(changes),
                "changes",
                of_graders=one.condition is None,
            ),
        )
        for one, each in zip(changes, p, strict=True)
    ]


def _difference(
    later: pa.Table, earlier: pa.Table, *, names: tuple[str, str], how: Measured
) -> Difference:
    sides = [
        rows.append_column(_SIDE, pa.array([name] * rows.num_rows, pa.string()))
        for name, rows in zip(names, (later, earlier), strict=True)
    ]
    rows = pa.concat_tables(sides)
    if not rows.num_rows:
        raise MeasurementError("The two times have no answer in common.")
    return compare(
        rows, *names, object=_SIDE, cluster=how.cluster, scale=how.scale, level=how.level
    )


def _of(rows: pa.Table, keys: pa.ChunkedArray, wanted: pa.Array) -> pa.Table:
    """The rows of some keys, without the columns by which graders would be told apart."""
    kept = rows.filter(pc.is_in(keys, value_set=wanted))  # type: ignore[attr-defined]
    return kept.drop_columns([name for name in rows.column_names if name.startswith("grade")])


def _answers(rows: pa.Table) -> pa.ChunkedArray:
    """One text for each answer."""
    parts = [rows[name].cast(pa.string()) for name in _KEY]
    return pc.binary_join_element_wise(*parts, "\n")  # type: ignore[attr-defined]


def _shared(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.Array:
    kept = one.filter(pc.is_in(one, value_set=pc.unique(other)))  # type: ignore[attr-defined]
    return pc.unique(kept)  # type: ignore[attr-defined]
