"""export: the study's results as single files, for people who do not read folders."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.csv import CSVWriter

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.spend import Spend, spend_by_model
from itemeval_assets.core.tables.cells import CELLS
from itemeval_assets.core.tables.quality import PARSED_COLUMNS, parse_ok_violations, repeated_keys
from itemeval_assets.core.tables.schemas import GRADINGS_LONG, TABLES, Table, arrow_schema
from itemeval_assets.core.text.spreadsheet import for_spreadsheet
from itemeval_assets.storage.objects.scratch import scratch_folder
from itemeval_assets.storage.objects.together import together
from itemeval_assets.storage.study.layout import (
    EXPORT_CELLS_CSV,
    EXPORT_CELLS_PARQUET,
    EXPORT_CELLS_SPREADSHEET,
    EXPORT_LEDGER_CSV,
    EXPORT_LONG_CSV,
    EXPORT_LONG_PARQUET,
    EXPORT_LONG_SPREADSHEET,
)
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore

from . import ledger
from .calls.recovery import losses, unread
from .views import cells

_EXPORTS = (EXPORT_LONG_PARQUET, EXPORT_LONG_CSV)
_EXPORTED_CELLS = (EXPORT_CELLS_PARQUET, EXPORT_CELLS_CSV)
_SPREADSHEETS = (EXPORT_LONG_SPREADSHEET, EXPORT_CELLS_SPREADSHEET)


class ExportResult(NamedTuple):
    """What an export wrote. `paths` by kind; `usd` is the spend in the ledger.

    `spend` is per provider and model, with what caches and batches saved.
    """

    rows: int
    usd: float
    unpriced: tuple[str, ...]
    paths: dict[str, str]
    spend: list[Spend]


def write(study: Study, store: ResultsStore, *, for_spreadsheets: bool = False) -> ExportResult:
    """Write export/: gradings_long and cells as Parquet and CSV, and the ledger as CSV.

    `for_spreadsheets` writes each of the two once more as a CSV whose texts no spreadsheet takes
    for a formula; without it, those of an earlier export are removed: they would no longer say
    what the others say.
    Two partitions are in memory at a time: one is read while one is written. Raises StoreError,
    and writes nothing, when the tables break a rule, or hold nothing yet.
    """
    require_results(study, store)
    require_sound(study, store, others_join=True)
    spent = ledger.ledger(store)
    shown = [(key,) if for_spreadsheets else () for key in _SPREADSHEETS]
    long_keys, cell_keys = (*_EXPORTS, *shown[0]), (*_EXPORTED_CELLS, *shown[1])
    with scratch_folder() as folder:
        names = (*long_keys, *cell_keys, EXPORT_LEDGER_CSV)
        files = {key: folder / Path(key).name for key in names}
        long = store.read_each("gradings_long", _in_design_order(study, store))
        rows = _write_tables(GRADINGS_LONG, long, *(files[key] for key in long_keys))
        every_cell = cells.tables(study, store, study.grade_partitions())
        _write_tables(CELLS, every_cell, *(files[key] for key in cell_keys))
        with csv_writer(files[EXPORT_LEDGER_CSV], spent.schema) as lines:
            lines.write_table(spent.combine_chunks())
        together(
            store.backend,
            lambda file: store.backend.upload(file[1], file[0], give_away=True),
            files.items(),
        )
    for key in () if for_spreadsheets else filter(store.backend.exists, _SPREADSHEETS):
        store.backend.delete(key)
    return exported(store, rows, list(files))


def exported(store: ResultsStore, rows: int, keys: Iterable[str]) -> ExportResult:
    """What an export of so many rows has written into these objects."""
    spent = ledger.ledger(store)
    unpriced = spent.filter(pc.is_null(spent["usd"]))["model"].unique()  # type: ignore[attr-defined]
    return ExportResult(
        rows,
        pc.sum(spent["usd"]).as_py() or 0.0,  # type: ignore[attr-defined]
        tuple(sorted(unpriced.to_pylist())),
        {key: store.backend.uri(key) for key in keys},
        spend_by_model(store.read("log_index")),
    )


def _write_tables(
    table: Table, parts: Iterable[pa.Table], parquet: Path, text: Path, shown: Path | None = None
) -> int:
    """Write a table part by part, a row group for each; the number of rows."""
    schema, count = arrow_schema(table), 0
    with ExitStack() as stack:
        whole = stack.enter_context(pq.ParquetWriter(parquet, schema, compression="zstd"))
        lines = stack.enter_context(csv_writer(text, schema))
        spreadsheet = stack.enter_context(csv_writer(shown, schema)) if shown else None
        beside = stack.enter_context(ThreadPoolExecutor(2))
        written: list[Future[None]] = []
        for part in parts:
            # Of a chunk without rows the CSV writer of Arrow makes a line of zero bytes.
            rows = part.combine_chunks()
            if rows.num_rows:
                # This part was read while the one before it was written.
                _wait_for(written)
                written = [
                    beside.submit(whole.write_table, rows, row_group_size=rows.num_rows),
                    beside.submit(lines.write_table, rows),
                ]
                if spreadsheet is not None:
                    spreadsheet.write_table(for_spreadsheet(rows).combine_chunks())
                count += rows.num_rows
        _wait_for(written)
    return count


def _wait_for(written: list[Future[None]]) -> None:
    for part in written:
        part.result()


def csv_writer(path: Path, schema: pa.Schema) -> CSVWriter:
    """A CSV file: UTF-8, `\\n` line ends, texts in quotes, null as an empty field.

    Read it back with `keep_default_na=False, na_values=[""]`: texts such as "None" and
    "NA" are values here. pandas 2 needs `float_precision="round_trip"` for the last bit.
    """
    return CSVWriter(str(path), schema)


def require_results(study: Study, store: ResultsStore) -> None:
    """Raise StoreError where no cell was ever called: there is nothing to export."""
    if not store.has_results():
        raise StoreError(
            f"study {study.name} has no results yet: there is nothing to export.\n"
            f"Run it first: itemeval-assets run {study.config_path}"
        )


def require_sound(study: Study, store: ResultsStore, *, others_join: bool = False) -> None:
    """Raise StoreError naming the first rule that the stored tables break, or EvidenceLost.

    `others_join`: gradings may wait for their long rows while a run is in progress.
    """
    counts: dict[str, dict[Partition, int]] = {}
    for table in ("solutions", "gradings", "gradings_long"):
        counts[table] = {}
        parsed = [*PARSED_COLUMNS] if table == "gradings" else []
        columns = list(dict.fromkeys([*TABLES[table].key, *parsed]))
        for partition in store.partitions(table):
            rows = store.read(table, [partition], columns)
            counts[table][partition] = rows.num_rows
            _refuse(repeated_keys(table, rows), table, partition, "a key occurs twice")
            if parsed:
                disagree = "parse_ok, parse_error and score disagree"
                _refuse(parse_ok_violations(rows), table, partition, disagree)
    behind = _behind(study, counts["gradings"], counts["gradings_long"])
    # A run in progress joins what it has graded, and exports it after that.
    if behind and not (others_join and Reservations(store).amounts()):
        raise _not_joined(study, behind)
    losses.require_no_loss(study, store)
    for found in ledger.mismatches(store):
        gone = list(unread.of_lost_rows(study, store, [found.partition]))
        raise StoreError(
            f"the ledger does not reconcile: run {found.run_id}, stage {found.stage}, "
            f"partition {'|'.join(found.partition) or 'preflight'}: "
            f"{found.quantity} is {found.ledger} in the ledger and {found.rows} in the rows.\n"
            "Nothing was exported. "
            + (
                unread.in_words(study, gone)
                or "Run the study again: it recovers any log that is not in the ledger"
            )
        )


def _behind(
    study: Study, graded: Mapping[Partition, int], joined: Mapping[Partition, int]
) -> dict[Partition, tuple[int, int]]:
    """{partition: its gradings, its long rows} where some are not joined."""
    # One that the design no longer has is joined by no run.
    counts = {part: (graded.get(part, 0), joined.get(part, 0)) for part in study.grade_partitions()}
    return {part: (rows, long) for part, (rows, long) in counts.items() if rows > long}


def _not_joined(study: Study, behind: Mapping[Partition, tuple[int, int]]) -> StoreError:
    first, (graded, joined) = next(iter(behind.items()))
    return StoreError(
        f"table gradings_long, partition {'|'.join(first)}: it has {joined} rows for {graded} "
        f"gradings. This is so in {len(behind)} partitions.\n"
        "Nothing was exported. Run the study, which joins what is not joined: "
        f"itemeval-assets run {study.config_path}"
    )


def _refuse(offences: list[dict], table: str, partition: Partition, rule: str) -> None:
    if offences:
        raise StoreError(
            f"table {table}, partition {'|'.join(partition)}: {rule}, "
            f"at {len(offences)} rows, first {offences[0]}.\n"
            "Nothing was exported. Delete that partition's file and run the study again: "
            "it is rebuilt from the .eval logs"
        )


def _in_design_order(study: Study, store: ResultsStore) -> list[Partition]:
    """Stored partitions: the design's in its order, then those it no longer has."""
    stored = store.partitions("gradings_long")
    order = {partition: place for place, partition in enumerate(study.grade_partitions())}
    return sorted(stored, key=lambda partition: (order.get(partition, len(order)), partition))
