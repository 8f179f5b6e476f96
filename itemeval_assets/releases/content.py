"""What a release holds, partition by partition."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.pending import Grid
from itemeval_assets.core.design.study import PREFLIGHT, Partition, Study
from itemeval_assets.core.money.ledger import ledger_of
from itemeval_assets.core.records.releases import PartitionContent, items_of
from itemeval_assets.core.tables.cells import CELL_COLUMNS
from itemeval_assets.core.tables.schemas import GRADINGS_LONG, arrow_schema
from itemeval_assets.stages.views.status import incomplete_cells
from itemeval_assets.storage.study.store import ResultsStore

__all__ = [
    "IDENTITY",
    "Contents",
    "PartitionRows",
    "content_of",
    "contents_of",
    "count_cells",
    "ledgers_of",
    "partition_rows",
    "solutions_of",
    "tuples_of",
]

Contents = dict[str, PartitionContent]
# Other columns of a cell follow from these, within one partition.
IDENTITY = ["item_id", "dataset_id", "dataset_revision", "replication"]


class PartitionRows(NamedTuple):
    """One partition of a release.

    `rows` of gradings_long; `cells` of the design, those with a row first and in its order;
    `flaws`: a row for each cell without a sound grading event, with its `state` and `error`.
    """

    rows: pa.Table
    cells: pa.Table
    flaws: list[dict[str, Any]]


def partition_rows(study: Study, store: ResultsStore, partition: Partition) -> PartitionRows:
    """Read one partition of the design as a release has it.

    Rows of items and replications that the design no longer has stay behind.
    """
    grid = design_grid(study, store)
    rows = store.read("gradings_long", [partition])
    rows = rows.filter(grid.holds(rows["item_id"], rows["replication"]))
    inside = set(grid.cells())
    flaws = [
        cell
        for cell in incomplete_cells(study, store, partition)
        if (cell["item_id"], cell["epoch"]) in inside
    ]
    known = set(tuples_of(rows, ("item_id", "replication")))
    absent = [cell for cell in flaws if (cell["item_id"], cell["epoch"]) not in known]
    cells = pa.concat_tables(
        [rows.select(CELL_COLUMNS), _as_cells(study, store, partition, absent)]
    )
    return PartitionRows(rows, cells, _with_errors(store, partition, flaws))


def design_grid(study: Study, store: ResultsStore) -> Grid:
    """The cells of every partition of the design, whatever part of it the policy runs."""
    items = store.read("items", columns=["item_id", "dataset_id"]).to_pylist()
    return Grid(items_of(study.config, items), study.config.facets.replications)


def solutions_of(study: Study, store: ResultsStore, partition: Partition) -> pa.Table:
    """The solutions of one generate condition, those of the design."""
    rows = store.read("solutions", [partition])
    return rows.filter(design_grid(study, store).holds(rows["item_id"], rows["epoch"]))


def ledgers_of(study: Study, store: ResultsStore) -> tuple[pa.Table, float]:
    """The ledger of the design and of preflights, and what other conditions have cost, in USD."""
    booked = store.read("bookings")
    wanted = {*study.generate_partitions(), *study.grade_partitions()}
    keys = booked.select(["stage", "gen_condition_id", "condition_id"]).to_pylist()
    is_wanted = pa.array(
        [
            key["stage"] == PREFLIGHT
            or tuple(filter(None, (key["gen_condition_id"], key["condition_id"]))) in wanted
            for key in keys
        ],
        pa.bool_(),
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


def _as_cells(
    study: Study, store: ResultsStore, partition: Partition, absent: Iterable[Mapping[str, Any]]
) -> pa.Table:
    """Cells without a row, with what the design says of them."""
    schema = arrow_schema(GRADINGS_LONG)
    kinds = pa.schema([schema.field(name) for name in CELL_COLUMNS])
    absent = list(absent)
    if not absent:
        return kinds.empty_table()
    columns = ["item_id", "dataset_id", "dataset_revision"]
    items = {row["item_id"]: row for row in store.read("items", columns=columns).to_pylist()}
    conditions = study.design.columns_of(*partition)
    rows = [
        {**items[cell["item_id"]], **conditions, "replication": cell["epoch"]} for cell in absent
    ]
    return pa.Table.from_pylist(rows, schema=kinds)


def _with_errors(
    store: ResultsStore, partition: Partition, flaws: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The flaws, with what went wrong with the call of the judge, or before it of the model."""
    if not flaws:
        return []
    errors: dict[tuple[str, int], str] = {}
    for table, part in (("solutions", partition[:1]), ("gradings", partition)):
        for row in store.read(table, [part], ["item_id", "epoch", "error"]).to_pylist():
            if row["error"]:
                errors[row["item_id"], row["epoch"]] = row["error"]
    return [{**cell, "error": errors.get((cell["item_id"], cell["epoch"]), "")} for cell in flaws]
