"""Reads frames of Parquet as pandas wrote them, with their MultiIndex."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.errors import StoreError


def read_frame(source: BinaryIO, uri: str, rows: int | None = None) -> pd.DataFrame:
    """A frame of Parquet as pandas wrote it, index included; its first rows, or all.

    Raises StoreError that names the object when it cannot be read.
    """
    with readable(uri), pq.ParquetFile(source) as file:
        # Threads of Arrow that outlive the interpreter abort the process at its end.
        schema = file.schema_arrow
        if rows is None or _has_range_level(schema):
            table = file.read(use_threads=False)
        else:
            batches = file.iter_batches(batch_size=rows, use_threads=False)
            table = pa.Table.from_batches(islice(batches, 1), schema)
        frame = table.to_pandas(use_threads=False)
        return frame if rows is None else frame.head(rows)


@contextmanager
def readable(uri: str) -> Iterator[None]:
    """Raise StoreError that names the object where the block cannot read its Parquet."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(
            f"{uri} is no readable Parquet file: {reason}; restore it, or delete its run"
        ) from error


def _has_range_level(schema: pa.Schema) -> bool:
    """Whether pandas kept a level of the index as a range, which fits all rows only."""
    return any(
        isinstance(level, dict) for level in (schema.pandas_metadata or {}).get("index_columns", [])
    )
