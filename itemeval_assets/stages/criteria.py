"""Criteria of rubrics: gradings that are read from the replies to another grade condition.

One call grades all criteria of a rubric. It is booked once, with the row of their total. A row of a
criterion names the same log; it has no tokens and no sample of its own, and usd 0.0.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import GRADINGS, TOKEN_COLUMNS, arrow_schema
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.tables.upsert import upsert

from .calls.stage_run import StageRun
from .verdict_columns import verdict_columns

_CELL = ("item_id", "epoch")
# What tells of which reply a row is: a cell has one in each log, or an error.
_REPLY = ("log_file", "error")
# What stands on the row of the total alone.
_OF_TOTAL = dict.fromkeys((*TOKEN_COLUMNS, "sample_uuid", "latency_s"))


def read_criteria(
    run: StageRun, graded: pa.Table, partitions: Iterable[Partition]
) -> Iterator[tuple[Partition, pa.Table]]:
    """The rows of these partitions that are not stored yet, or are of another reply than today's.

    `graded`: gradings of this run, which are stored with them.
    """
    design, new = run.study.design, Parts(graded, GRADINGS.partitioned_by)
    for partition in partitions:
        total = design.total_of(partition)
        assert total is not None
        replies = upsert(GRADINGS, run.store.read("gradings", [total]), new[total]).rows
        if not replies.num_rows:
            run.say(
                f"{design.label_of(partition)}: nothing to read, {design.label_of(total)} has no "
                "gradings yet"
            )
        known = run.store.read("gradings", [partition], [*_CELL, *_REPLY])
        condition = design.grade_by_id[partition.grade]
        rows = [_row(condition, reply) for reply in _others(replies, known).to_pylist()]
        yield partition, pa.Table.from_pylist(rows, schema=arrow_schema(GRADINGS))


def _others(replies: pa.Table, known: pa.Table) -> pa.Table:
    """The replies that no known row is of."""
    read = set(_replies(known))
    places = [place for place, reply in enumerate(_replies(replies)) if reply not in read]
    return replies.take(pa.array(places, pa.int64()))


def _replies(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Which reply each row is of."""
    return zip(*(rows[name].to_pylist() for name in (*_CELL, *_REPLY)), strict=True)


def _row(condition: GradeCondition, reply: dict[str, Any]) -> dict[str, Any]:
    """What a criterion has of one reply."""
    criterion = condition.grader.criterion
    assert criterion
    verdict = None if reply["error"] else criterion.verdict_of(reply["judge_completion"])
    return {
        **reply,
        **_OF_TOTAL,
        **condition.columns,
        "reasoning": None,
        **verdict_columns(verdict),
        "usd": 0.0,
    }
