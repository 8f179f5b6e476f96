"""Arrow schemas that pandas reads back with the right index and dtypes."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

# pandas has integers that may be null, under names of their own.
_NULLABLE = {f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)}
_NULLABLE |= {f"u{name}": f"U{nullable}" for name, nullable in _NULLABLE.items()}
_NULLABLE["bool"] = "boolean"
# The field of a level that has the name of a column, as pandas calls it.
_LEVEL = "__index_level_{}__"


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
    # A wide frame has few types of columns: pandas describes one column of each.
    samples = {column: name for name, column in reversed(columns.items())}
    metadata = _metadata({name: column for column, name in samples.items()}, levels)
    found = {entry["name"]: entry for entry in metadata["columns"][: len(samples)]}
    described = [
        {**found[samples[column]], "name": name, "field_name": name}
        for name, column in columns.items()
    ]
    for place, entry in enumerate(metadata["columns"][len(samples) :]):
        name = entry["name"]
        described.append({**entry, "field_name": _LEVEL.format(place) if name in columns else name})
    metadata["columns"] = described
    if levels:
        metadata["index_columns"] = [entry["field_name"] for entry in described[len(columns) :]]
    else:
        metadata["index_columns"][0]["stop"] = n_rows
    kinds = [column.kind for column in (*columns.values(), *levels.values())]
    fields = [
        pa.field(entry["field_name"], kind) for entry, kind in zip(described, kinds, strict=True)
    ]
    return pa.schema(fields, metadata={b"pandas": json.dumps(metadata).encode()})


def _metadata(columns: dict[str, Column], levels: dict[str, Column]) -> dict[str, Any]:
    """What pandas writes of a frame: it has no rows, so no types are read off its values."""
    frame = pd.DataFrame({name: _empty(column) for name, column in columns.items()})
    if levels:
        frame.index = pd.MultiIndex.from_arrays(
            [_empty(column) for column in levels.values()], names=list(levels)
        )
    return json.loads(pa.Schema.from_pandas(frame).metadata[b"pandas"])


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
