"""export: the study's results as single files, for people who do not read folders."""

import csv
import io
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.quality import parse_ok_violations, repeated_keys
from itemeval_assets.core.spend import Spend, spend_by_model
from itemeval_assets.core.study import Partition, Study
from itemeval_assets.storage.layout import (
    EXPORT_LEDGER_CSV,
    EXPORT_LONG_CSV,
    EXPORT_LONG_PARQUET,
)
from itemeval_assets.storage.store import ResultsStore

from . import ledger

__all__ = ["ExportResult", "write"]


class ExportResult(NamedTuple):
    """What an export wrote. `paths` by kind; `usd` is the spend in the ledger.

    `spend` is per provider and model, with what caches and batches saved.
    """

    rows: int
    usd: float
    unpriced: tuple[str, ...]
    paths: dict[str, str]
    spend: list[Spend]


def write(study: Study, store: ResultsStore) -> ExportResult:
    """Write export/: gradings_long as Parquet and CSV, and the ledger as CSV.

    Raises StoreError, and writes nothing, when the tables break a rule.
    """
    require_sound(study, store)
    rows = store.read("gradings_long", _in_design_order(study, store))
    spent = ledger.united(store)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    documents = {
        EXPORT_LONG_PARQUET: buffer.getvalue(),
        EXPORT_LONG_CSV: csv_bytes(rows),
        EXPORT_LEDGER_CSV: csv_bytes(spent.drop_columns(["gen_condition_id"])),
    }
    for key, data in documents.items():
        store.backend.update(key, lambda _, data=data: data)
    unpriced = {row["model"] for row in spent.to_pylist() if not row["priced"]}
    return ExportResult(
        rows.num_rows,
        sum(usd or 0.0 for usd in spent["usd"].to_pylist()),
        tuple(sorted(unpriced)),
        {key: store.backend.uri(key) for key in documents},
        spend_by_model(store.read("log_index").to_pylist()),
    )


def require_sound(study: Study, store: ResultsStore) -> None:
    """Raise StoreError naming the first rule that the stored tables break."""
    for table in ("solutions", "gradings", "gradings_long"):
        for partition in store.partitions(table):
            _refuse(
                repeated_keys(table, store.read(table, [partition])),
                table,
                partition,
                "a key stands twice",
            )
    for partition in store.partitions("gradings"):
        gradings = store.read("gradings", [partition])
        _refuse(
            parse_ok_violations(gradings),
            "gradings",
            partition,
            "parse_ok, parse_error and score disagree",
        )
    for found in ledger.mismatches(store):
        raise StoreError(
            f"the ledger does not reconcile: run {found.run_id}, stage {found.stage}: "
            f"{found.quantity} is {found.ledger} in the ledger and {found.rows} in the rows.\n"
            "Nothing was exported. Run the study again: it reads back any log that is not "
            "accounted for"
        )


def csv_bytes(rows: pa.Table) -> bytes:
    """The rows as CSV: UTF-8, `\\n` line ends, null as an empty field.

    Read it back with `keep_default_na=False, na_values=[""]`: texts such as "None" and
    "NA" are values here. pandas 2 needs `float_precision="round_trip"` for the last bit.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(_LineEnds(text), lineterminator="\r\n")
    writer.writerow(rows.column_names)
    for batch in rows.to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


class _LineEnds:
    """Ends each row in `\\n`. Python 3.11 quotes a lone `\\r` only if rows end in one."""

    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    def write(self, row: str) -> None:
        self._text.write(row.removesuffix("\r\n") + "\n")


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
