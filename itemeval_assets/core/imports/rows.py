"""Which rows come in: those of the source, as what it has of them says, beside those that are here.

An answer beats an error, and what is here already beats what comes in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.ledger import NOBODY
from itemeval_assets.core.tables.schemas import TOKEN_COLUMNS

Row = dict[str, Any]
_Cell = tuple[str, int]
# What our copy of a log knows better than the row of the source.
_OF_LOG = ("log_file", "sample_uuid", "solution_hash")


class Choice(NamedTuple):
    """`rows` go into the table, `replaced` are calls beside them. `without_log`: rows of none."""

    rows: list[Row]
    replaced: list[Row]
    without_log: list[Row]


def new_rows(rows: pa.Table, stored: pa.Table, can_come: Callable[[str | None], bool]) -> pa.Table:
    """The rows that the study has none for, or an error, while they have an answer.

    `can_come`: of the log of a row, whether it has not come in. Reads item_id, epoch, error, and
    log_file of `rows`.
    """
    known = {(row["item_id"], row["epoch"]): row for row in stored.to_pylist()}
    columns = ("item_id", "epoch", "error", "log_file")
    wanted = [
        can_come(row["log_file"]) and _is_wanted(row, known)
        for row in rows.select(columns).to_pylist()
    ]
    return rows.filter(pa.array(wanted, pa.bool_()))


def _is_wanted(row: Row, known: Mapping[_Cell, Row]) -> bool:
    here = known.get((row["item_id"], row["epoch"]))
    return here is None or (here["error"] is not None and row["error"] is None)


def chosen(
    rows: Iterable[Row],
    told: Sequence[tuple[str, Row]],
    stored: Iterable[Row],
    logs: Collection[str],
) -> Choice:
    """What becomes of the rows of the source, and of the calls that logs tell of, in a partition.

    `told`: rows made of our copies, with the log of the source; `logs`: those of the source. A row
    of the source has its own values beside what its log tells. A call that no row of the source is
    of comes in where that has no answer.
    """
    calls = {(log, row["item_id"], row["epoch"]): row for log, row in told}
    by_cell, without_log = _merged(rows, calls, logs)
    beside = _with_others(by_cell, calls)
    known = {(row["item_id"], row["epoch"]): row for row in stored}
    taken = []
    for cell, row in by_cell.items():
        is_there = _call_of(known.get(cell)) == _call_of(row)
        (taken if is_there or _is_wanted(row, known) else beside).append(row)
    came = {id(row) for row in taken}
    return Choice(
        taken,
        [row for row in beside if row["sample_uuid"] and row["log_file"]],
        [row for row in without_log if id(row) in came],
    )


def _merged(
    rows: Iterable[Row], calls: dict[tuple[str, str, int], Row], logs: Collection[str]
) -> tuple[dict[_Cell, Row], list[Row]]:
    """The rows of the source by cell, as they come in, and those without a log.

    Takes the calls that they are of out of `calls`.
    """
    by_cell: dict[_Cell, Row] = {}
    without_log: list[Row] = []
    for row in rows:
        cell = row["item_id"], row["epoch"]
        call = calls.pop((row["log_file"], *cell), None)
        if call is not None:
            own = {name: value for name, value in row.items() if name not in _OF_LOG}
            by_cell[cell] = {**call, **own}
        elif row["log_file"] not in logs:
            by_cell[cell] = row
            without_log.append(row)
    return by_cell, without_log


def _with_others(by_cell: dict[_Cell, Row], calls: Mapping[tuple[str, str, int], Row]) -> list[Row]:
    """Put answers that no row is of where there is none; what stands beside the rows then."""
    beside: list[Row] = []
    for (_, *cell), call in calls.items():
        place = str(cell[0]), int(cell[1])
        if _is_wanted(call, by_cell):
            beside += [by_cell[place]] if place in by_cell else []
            by_cell[place] = call
        else:
            beside.append(call)
    return beside


def balanced(
    replaced: Iterable[Row], told: Iterable[Row], booked: Mapping[str, float | None]
) -> list[Row]:
    """Replaced rows that cost what their logs do beyond the rows that are `told` of them.

    The source has a price of its own for each call, which a log does not tell. `booked`: what each
    log costs; null without a price. Reads and changes usd.
    """
    left = {log: usd for log, usd in booked.items() if usd is not None}
    for row in told:
        if row["log_file"] in left:
            left[row["log_file"]] -= row["usd"] or 0.0
    by_log: dict[str, list[Row]] = defaultdict(list)
    for row in replaced:
        by_log[row["log_file"]].append(row)
    found = []
    for log, rows in by_log.items():
        cost = sum(row["usd"] or 0.0 for row in rows)
        share = max(0.0, left[log]) / cost if cost and log in left else 1.0
        found += [{**row, "usd": row["usd"] and row["usd"] * share} for row in rows]
    return found


def _call_of(row: Row | None) -> tuple[str | None, ...] | None:
    """What tells the event of a row from others of its cell: a scorer makes no call."""
    return None if row is None else (row["run_id"], row["sample_uuid"])


def logless_bookings(partition: Partition, model: str | None, rows: Iterable[Row]) -> Iterator[Row]:
    """Bookings of rows without a log, one for each run: the sums over its rows."""
    by_run: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_run[row["run_id"]].append(row)
    for run_id, found in by_run.items():
        usd = [row["usd"] for row in found]
        yield {
            "run_id": run_id,
            **partition.columns,
            "model": model or NOBODY,
            "provider": model.split("/")[0] if model else None,
            "calls": len(found),
            **{name: _sum([row[name] for row in found]) for name in TOKEN_COLUMNS},
            "usd": None if None in usd else sum(usd),
            "priced": None not in usd,
            "batch": False,
            "created_at": max(row["created_at"] for row in found),
        }


def _sum(counts: Iterable[int | None]) -> int | None:
    present = [count for count in counts if count is not None]
    return sum(present) if present else None
