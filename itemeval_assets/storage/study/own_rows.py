"""Whether a file of a table holds the rows of its own partition, by the figures that Parquet keeps.

Files that somebody copied over each other can be read, and would be taken for something else:
bookings for lost calls, solutions of one model for those of another.
"""

import pyarrow.parquet as pq

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import TABLES

from .layout import partition_of


def foreign_rows(table: str, key: str, file: pq.ParquetFile) -> str | None:
    """Which column of a file says that it is of another partition; None where none does."""
    names = file.schema_arrow.names
    is_partition = "/" in key  # the ledger and the items are one file each
    own_values = _own_values(table, partition_of(table, key)) if is_partition else {}
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
