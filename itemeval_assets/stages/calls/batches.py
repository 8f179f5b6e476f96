"""Batches of a study that are not collected: whose cells they answer, and what they cost."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.batches import (
    KeptBatch,
    Line,
    UsdOf,
    WaitingBatch,
    Wanted,
    unwanted,
    waiting,
)
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.storage.study.batches import KeptBatches
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.batches.keeper import Keeper

    from .stage_run import StageRun

# By partition, cell and digest of what is shown: what these lines cost at most, as far as no run at
# work has reserved it.
Waiting = Mapping[Partition, Mapping[Cell, Mapping[str, float]]]
# The cells of a partition that are to be called.
CellsOf = Callable[[Partition], Collection[Cell]]
_COLUMNS = ["item_id", "epoch", "run_id", "error"]


def waiting_cells(store: ResultsStore) -> Waiting:
    """The cells that have lines in batches: a run takes their answers, and sends nothing."""
    batches = KeptBatches(store).all()
    living = _living(store, batches)
    found: dict[Partition, dict[Cell, dict[str, float]]] = {}
    for line in _open_lines(batches):
        of_cell = found.setdefault(line.partition, {}).setdefault(line.cell, {})
        of_cell[line.digest] = 0.0 if line.holder in living else line.most_usd
    return found


def unreserved_usd(store: ResultsStore, living: Collection[str]) -> float:
    """What batches may cost that no living run has reserved; those that are given up, too."""
    lines = (line for batch in KeptBatches(store).all() for line in batch.lines.values())
    return sum(line.most_usd for line in lines if line.holder not in living)


@contextmanager
def keeping(run: "StageRun") -> "Iterator[Keeper]":
    """Keep what the run sends in batches while the block runs."""
    from itemeval_assets.engine.calls.batches.keeper import Keeper
    from itemeval_assets.engine.calls.batches.kept import batches_kept_by

    keeper = Keeper(KeptBatches(run.store), run.run_id, run.gate.holder)
    try:
        with batches_kept_by(keeper):
            yield keeper
    finally:
        # Where that cannot be stored, the reservation ends with the run, and tells the same.
        with suppress(StoreError):
            keeper.close()


def forget_collected(
    keeper: "Keeper", run_id: str, partitions: Iterable[Partition], rows: pa.Table
) -> None:
    """Forget the lines that a run has collected, once rows can be made from its logs at any time.

    Those that it got an error for, too: their cells are free for a new call.
    """
    known = {
        (partition, cell)
        for partition in partitions
        for cell, by, _ in _calls_in(partition, rows)
        if by == run_id
    }
    keeper.collected(lambda line: (line.partition, line.cell) in known)


def forget_answered(
    store: ResultsStore, partitions: Collection[Partition], recovered: pa.Table
) -> None:
    """Forget the lines whose answers are in rows: their runs died before they could forget them.

    `recovered`: rows of these partitions that are not stored so far.
    """
    kept = KeptBatches(store)
    batches = kept.all()
    touched = {line.partition for line in _open_lines(batches)}.intersection(partitions)
    answered = {
        (partition, cell, run_id)
        for partition in touched
        for rows in (_stored(store, partition), recovered)
        for cell, run_id, error in _calls_in(partition, rows)
        if error is None
    }

    def is_answered(line: Line) -> bool:
        return any((line.partition, line.cell, run_id) in answered for run_id in line.run_ids)

    for batch in batches:
        if done := {id for id, line in batch.lines.items() if is_answered(line)}:
            kept.change(batch.name, partial(KeptBatch.without, ids=done))


def _stored(store: ResultsStore, partition: Partition) -> pa.Table:
    table = partition.stage.table
    return store.read(table, [partition], [*TABLES[table].partitioned_by, *_COLUMNS])


def _calls_in(partition: Partition, rows: pa.Table) -> Iterator[tuple[Cell, str, str | None]]:
    """Cell, run and error of the rows of a partition."""
    own = Parts(rows, TABLES[partition.stage.table].partitioned_by)[partition]
    for item_id, epoch, run_id, error in zip(
        *(own[name].to_pylist() for name in _COLUMNS), strict=True
    ):
        yield Cell(item_id, epoch), run_id, error


def waiting_batches(
    store: ResultsStore, wanted: CellsOf, usd_of: UsdOf = lambda line: None
) -> list[WaitingBatch]:
    """What batches there are. `wanted` gives the cells of a partition that are to be called."""
    batches = KeptBatches(store).all()
    living, cells = _living(store, batches), _wanted(batches, wanted)
    found = (waiting(batch, cells, living, time.time(), usd_of) for batch in batches)
    return [batch for batch in found if batch]


def waiting_lines(store: ResultsStore) -> list[Line]:
    """The lines of all batches that are not given up."""
    return [*_open_lines(KeptBatches(store).all())]


def give_up(store: ResultsStore, wanted: CellsOf) -> None:
    """Wait no more for lines that no cell wants, nor for batches whose answers cannot be had.

    What they may have cost goes on to count towards `budget.max_usd`.
    """
    kept = KeptBatches(store)
    batches = kept.all()
    living, cells = _living(store, batches), _wanted(batches, wanted)

    def without(batch: KeptBatch) -> KeptBatch:
        lines = unwanted(batch, () if batch.problem else cells, living)
        gone = {id: line._replace(is_given_up=True) for id, line in lines.items()}
        return batch.with_lines(gone)

    for batch in batches:
        if without(batch) != batch:
            kept.change(batch.name, without)


def _wanted(batches: Iterable[KeptBatch], wanted: CellsOf) -> Wanted:
    partitions = {line.partition for line in _open_lines(batches)}
    return {(partition, cell) for partition in partitions for cell in wanted(partition)}


def _living(store: ResultsStore, batches: Collection[KeptBatch]) -> set[str]:
    return set(Reservations(store).amounts()) if batches else set()


def _open_lines(batches: Iterable[KeptBatch]) -> Iterator[Line]:
    return (line for batch in batches for line in batch.open_lines.values())
