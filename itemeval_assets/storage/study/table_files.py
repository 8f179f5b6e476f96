"""Rows of a table as the file of one partition: Parquet, in the schema of the table.

Files that somebody copied over each other can be read, and would be taken for something else:
bookings for lost calls, solutions of one model for those of another. The figures that Parquet keeps
tell whether a file holds the rows of its own partition.
"""

import io
from collections.abc import Collection

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import TABLES, arrow_schema

from . import layout

_NAMED = 3  # columns in a message


def schema_of(table: str, columns: list[str] | None) -> pa.Schema:
    """What is read of a table. A file keeps the table's name and schema version, once rewritten."""
    schema = arrow_schema(TABLES[table])
    return pa.schema([schema.field(name) for name in columns or schema.names], schema.metadata)


def conformed(table: str, rows: pa.Table, study_name: str) -> pa.Table:
    """Rows in the schema of their table. Raises StoreError for a column that does not fit."""
    schema = arrow_schema(TABLES[table])
    try:
        fitting = rows.select(schema.names).cast(schema)
        for field in schema:
            if not field.nullable and fitting[field.name].null_count:
                raise StoreError(f"column {field.name!r} may not be null")
        return fitting
    except (KeyError, pa.ArrowException, ValueError, StoreError) as error:
        raise StoreError(f"table {table} of {study_name} refuses rows: {error}") from error


def encoded(rows: pa.Table) -> bytes:
    """Rows as a file."""
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()


def decoded(
    table: str, key: str, data: bytes, columns: list[str] | None, uri: str, *, whole_to: int = -1
) -> pa.Table:
    """The rows of a file; `columns`: those that are wanted, null: all.

    Of a file of up to `whole_to` rows it is all columns, whatever is wanted.

    Raises StoreError, naming the `uri`, for what is no file of this table and partition.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            schema = schema_of(table, None if file.metadata.num_rows <= whole_to else columns)
            stored = file.schema_arrow.names
            _require_columns(table, stored)
            if foreign := _foreign_rows(table, key, file):
                raise StoreError(
                    f"{uri} holds rows of another partition: {foreign}.\n"
                    "Nothing was changed. Restore the file from a copy, or move it away: "
                    f"{layout.IF_PARTITION_DELETED}"
                )
            # Threads of Arrow that outlive the interpreter abort the process at its end.
            found = file.read([n for n in schema.names if n in stored], use_threads=False)
        return _with_missing_columns(found, schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        meaning = layout.IF_DELETED.get(key, layout.IF_PARTITION_DELETED)
        raise StoreError(
            f"{uri} is not a readable {table} table: {reason}.\n"
            f"Nothing was changed. Restore the file from a copy, or delete it: {meaning}"
        ) from error


def _require_columns(table: str, stored: Collection[str]) -> None:
    """Raise ValueError for a file of another table, whichever of its columns are asked for."""
    schema = arrow_schema(TABLES[table])
    missing = [field.name for field in schema if not field.nullable and field.name not in stored]
    if missing:
        named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        raise ValueError(f"it has no {named}, as every {table} table has; is it another table?")


def _with_missing_columns(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns that are younger than the file are null."""
    stored = set(found.column_names)
    for field in schema:
        if field.name not in stored:
            found = found.append_column(field, pa.nulls(found.num_rows, field.type))
    return found.select(schema.names).cast(schema)


def _foreign_rows(table: str, key: str, file: pq.ParquetFile) -> str | None:
    """Which column of a file says that it is of another partition; None where none does."""
    names = file.schema_arrow.names
    is_partition = "/" in key  # the ledger and the items are one file each
    own_values = _own_values(table, layout.partition_of(table, key)) if is_partition else {}
    for column, own in own_values.items():
        if column not in names:
            continue
        for number in range(file.metadata.num_row_groups):
            found = file.metadata.row_group(number).column(names.index(column)).statistics
            # A column without any value has none of these figures, and neither have some writers.
            foreign = {found.min, found.max} - {own} if found and found.has_min_max else set()
            if foreign:
                return f"{column} is {min(foreign)} there"
    return None


def _own_values(table: str, partition: Partition) -> dict[str, str | None]:
    """The columns that have one value in all rows of a partition, with that value."""
    if by := TABLES[table].partitioned_by:
        return dict(zip(by, partition, strict=True))
    return partition.columns
