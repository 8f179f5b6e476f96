"""specs.pq: the input specs of a run as a table, one row per spec, for people and pandas."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.experiments.errors import SpecError, problems
from itemeval_assets.experiments.spec.index import merged_order
from itemeval_assets.experiments.spec.models import ExperimentInputSpec, In
from itemeval_assets.experiments.spec.transport import dump_spec, parse_spec

from .columns import build
from .kinds_of_values import kind_of
from .pandas_schema import Column, pandas_schema
from .reading import readable

# Marks a column whose cells are JSON texts: of values that have no common Arrow type.
_JSON = {b"encoding": b"json"}
# A column that other programs write into specs.pq, and that is no field of a spec.
_FOREIGN = {"storage_settings"}


def specs_table(specs: Sequence[ExperimentInputSpec]) -> bytes:
    """Parquet with a row per spec, in order, and a column per field, as declared.

    Files are the text of their path or URI. Lists, dicts and models are native where Arrow
    gives each back unchanged; they, and scalars of several types, are else JSON text, cell by
    cell. Raises SpecError as `transport.dump_spec` does.
    """
    rows = [dump_spec(spec) for spec in specs]
    declared = (
        list(type(specs[0]).model_fields) if specs else list(ExperimentInputSpec.model_fields)
    )
    names = merged_order([declared, *rows])
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    schema = pandas_schema(
        {name: Column(array.type, array.null_count > 0) for name, (array, _) in columns.items()},
        levels={},
        n_rows=len(rows),
    )
    for place, (_, is_json) in enumerate(columns.values()):
        if is_json:
            schema = schema.set(place, schema.field(place).with_metadata(_JSON))
    table = pa.table([array for array, _ in columns.values()], schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def read_specs(data: bytes, input_type: type[In], uri: str = "specs.pq") -> list[In]:
    """The specs of a specs.pq, in order, also of one that pandas has written.

    Raises StoreError when it is no Parquet, SpecError when a row is no valid spec of the type;
    both name the object.
    """
    with readable(uri):
        rows = _rows(data)
    specs: list[In] = []
    for place, row in enumerate(rows):
        values = {name: value for name, value in row.items() if name not in _FOREIGN}
        try:
            specs.append(parse_spec(json.dumps(values), input_type))
        except ValidationError as error:
            raise SpecError(
                f"row {place} of {uri} is no {input_type.__name__}: {problems(error)}"
            ) from None
    return specs


def _column(values: list[Any]) -> tuple[pa.Array, bool]:
    """The values as Arrow, and whether as JSON texts."""
    kind = kind_of(values).arrow()
    if pa.types.is_string(kind) and any(type(v) not in (str, type(None)) for v in values):
        texts = [None if v is None else json.dumps(v, ensure_ascii=False) for v in values]
        return pa.array(texts, kind), True
    return build(values, kind), False


def _rows(data: bytes) -> list[dict[str, Any]]:
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        table = file.read(use_threads=False)
    encoded = [
        field.name for field in table.schema if (field.metadata or {}).items() >= _JSON.items()
    ]
    rows = table.to_pylist()
    for row in rows:
        for name in encoded:
            row[name] = None if row[name] is None else load_json(row[name])
    return rows
