"""What a release holds, partition by partition."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.pending import Grid
from itemeval_assets.core.design.partitions import PREFLIGHT, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.ledger import ledger_of
from itemeval_assets.core.records.published.releases import PartitionContent, items_of
from itemeval_assets.core.tables.cells import CELL_COLUMNS
from itemeval_assets.stages.views.cells import CellView, tables
from itemeval_assets.storage.study.store import ResultsStore

Contents = dict[str, PartitionContent]
# Other columns of a cell follow from these, within one partition.
IDENTITY = ["item_id", "dataset_id", "dataset_revision", "replication"]
PLACE = ["item_id", "replication"]


class PartitionRows(NamedTuple):
    """One partition of a release.

    `rows` of gradings_long; `cells` of the design, those with a row first and in its order;
    `flaws`: of the table `cells`, those without a sound grading event; `states`: all of them.
    """

    rows: pa.Table
    cells: pa.Table
    flaws: pa.Table
    states: pa.Table


def partition_rows(study: Study, store: ResultsStore, partition: Partition) -> PartitionRows:
    """Read one partition of the design as a release has it.

    Rows of items and replications that the design no longer has stay behind.
    """
    items = store.read("items")
    grid = _design_grid(study, items)
    rows = store.read("gradings_long", [partition])
    rows = rows.filter(grid.holds(rows["item_id"], rows["replication"]))
    [states] = tables(study, store, [partition], items=items)
    planned = states.filter(pa.array(CellView(study, items).planned(partition)))
    # People rate a sample: what they have not rated is no flaw.
    is_rated = study.design.is_rated(partition)
    unsound = {"stale"} if is_rated else {"missing", "errored", "stale"}
    if not is_rated and study.config.solvers.on_empty == "rerun":
        unsound.add("blank")
    flaws = planned.filter(_mask(state in unsound for state in planned["state"].to_pylist()))
    flaws = flaws.filter(grid.holds(flaws["item_id"], flaws["replication"]))
    known = set(tuples_of(rows, PLACE))
    absent = flaws.filter(_mask(cell not in known for cell in tuples_of(flaws, PLACE)))
    cells = pa.concat_tables([rows.select(CELL_COLUMNS), absent.select(CELL_COLUMNS)])
    return PartitionRows(rows, cells, flaws, states)


def _design_grid(study: Study, items: pa.Table) -> Grid:
    """The cells of every partition of the design, whatever part of it the policy runs."""
    known = items.select(["item_id", "dataset_id"]).to_pylist()
    return Grid(items_of(study.config, known), study.config.facets.replications)


def solutions_of(study: Study, store: ResultsStore, partition: Partition) -> pa.Table:
    """The solutions of one generate condition, those of the design."""
    rows = store.read("solutions", [partition])
    items = store.read("items", columns=["item_id", "dataset_id"])
    return rows.filter(_design_grid(study, items).holds(rows["item_id"], rows["epoch"]))


def rubrics_of(study: Study, store: ResultsStore, partition: Partition) -> pa.Table:
    """The rubrics that a model has written, of the items of the design."""
    rows = store.read("item_rubrics", [partition])
    items = store.read("items", columns=["item_id", "dataset_id"])
    return rows.filter(_design_grid(study, items).holds(rows["item_id"], rows["epoch"]))


def ledgers_of(study: Study, store: ResultsStore) -> tuple[pa.Table, float]:
    """The ledger of the design and of preflights, and what other conditions have cost, in USD."""
    booked = store.read("bookings")
    wanted = {*study.partitions()}
    keys = booked.select(["stage", "gen_condition_id", "condition_id"]).to_pylist()
    is_wanted = _mask(
        key["stage"] == PREFLIGHT.name
        or tuple(filter(None, (key["gen_condition_id"], key["condition_id"]))) in wanted
        for key in keys
    )
    others = booked.filter(pc.invert(is_wanted))["usd"].to_pylist()  # type: ignore[attr-defined]
    return ledger_of(booked.filter(is_wanted)), sum(usd or 0.0 for usd in others)


def contents_of(study: Study, store: ResultsStore) -> Contents:
    """Digests of what the design's partitions hold now."""
    return {
        "|".join(partition): content_of(partition_rows(study, store, partition))
        for partition in study.grade_partitions()
    }


def content_of(part: PartitionRows) -> PartitionContent:
    """The digests of one partition."""
    cells = json.dumps(sorted(tuples_of(part.cells, IDENTITY)), ensure_ascii=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.rows.schema) as writer:
        writer.write_table(part.rows.combine_chunks())
    return PartitionContent(
        part.cells.num_rows,
        hashlib.sha256(cells.encode()).hexdigest(),
        hashlib.sha256(sink.getvalue()).hexdigest(),
    )


def count_cells(contents: Contents) -> int:
    return sum(content.cells for content in contents.values())


def tuples_of(rows: pa.Table | pa.RecordBatch, names: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    """The rows, with these columns alone."""
    return zip(*(rows.column(name).to_pylist() for name in names), strict=True)


def _mask(wanted: Iterable[bool]) -> pa.Array:
    return pa.array(list(wanted), pa.bool_())
