"""Arrow schemas that pandas reads back with the right index and dtypes."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

__all__ = ["Column", "pandas_schema"]

# pandas has integers that may be null, under names of their own.
_NULLABLE = {f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)}
_NULLABLE |= {f"u{name}": f"U{nullable}" for name, nullable in _NULLABLE.items()}
_NULLABLE["bool"] = "boolean"


@dataclass(frozen=True)
class Column:
    """The type of a column, and whether some of its values are null."""

    kind: pa.DataType
    has_nulls: bool = False


def pandas_schema(
    columns: dict[str, Column], levels: dict[str, Column], n_rows: int = 0
) -> pa.Schema:
    """The schema of a file as pandas writes it: columns first, index levels last.

    Without levels the index is the row number, of `n_rows` rows. A level with the name of a
    column has a field name of its own, and its name in the metadata.
    """
    frame = pd.DataFrame({name: _empty(column) for name, column in columns.items()})
    if levels:
        frame.index = pd.MultiIndex.from_arrays(
            [_empty(column) for column in levels.values()], names=list(levels)
        )
    # The frame has no values to read types off: only names and metadata are taken from it.
    described = pa.Schema.from_pandas(frame)
    kinds = [column.kind for column in (*columns.values(), *levels.values())]
    fields = [pa.field(name, kind) for name, kind in zip(described.names, kinds, strict=True)]
    metadata = json.loads(described.metadata[b"pandas"])
    if not levels:
        metadata["index_columns"][0]["stop"] = n_rows
    return pa.schema(fields, metadata={b"pandas": json.dumps(metadata).encode()})


def _empty(column: Column) -> Any:
    return pd.array([], dtype=_dtype(column))


def _dtype(column: Column) -> Any:
    """The pandas dtype that holds a column exactly: integers and booleans beside null too."""
    if column.has_nulls and str(column.kind) in _NULLABLE:
        return _NULLABLE[str(column.kind)]
    if pa.types.is_string(column.kind):
        return pd.StringDtype(na_value=float("nan"))
    if pa.types.is_date(column.kind):
        return object  # datetime.date, as pandas reads a day
    try:
        return column.kind.to_pandas_dtype()
    except NotImplementedError:
        return object
