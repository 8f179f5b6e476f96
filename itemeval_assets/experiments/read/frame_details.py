"""What a final frame holds, from the end of its file: rows, levels, columns, and how to read it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.experiments.frames.reading import readable
from itemeval_assets.experiments.outputs.survey import FILES, SCALARS
from itemeval_assets.settings import S3Settings
from itemeval_assets.storage.objects.backends import Backend

from .fields import described
from .run import ExperimentRun

# What neither a URI nor a path gives a meaning of its own.
_PLAIN = re.compile(r"s3://[\w./=-]+", re.ASCII)


@dataclass(frozen=True)
class FrameDetails:
    """A frame: where it is, its size, {level: type} of its index, {column: type}.

    A type is followed by what the schema says of the field. `load` is a line of Python that
    reads the frame.
    """

    uri: str
    rows: int
    size_bytes: int
    index: dict[str, str]
    columns: dict[str, str]
    load: str


def frames_of(run: ExperimentRun, only: str | None = None) -> dict[str, FrameDetails]:
    """The final frames of a run by name, scalars first; or only one. Says of fields what they are.

    Raises StoreError that names the object when one cannot be read.
    """
    io_spec, files = run.io_spec(), run.list_results_files()
    levels, columns = described(io_spec, "input"), described(io_spec, "output")
    return {
        name: frame_details(
            run.backend, files[name], levels, columns if name in (SCALARS, FILES) else {}
        )
        for name in sorted(files, key=lambda name: name != SCALARS)
        if only in (name, None)
    }


def frame_details(
    backend: Backend, key: str, levels: Mapping[str, str], columns: Mapping[str, str]
) -> FrameDetails:
    """The details of a frame; `levels` and `columns` describe fields, by name.

    Raises StoreError that names the object when it cannot be read.
    """
    uri = backend.uri(key)
    with backend.open(key) as file, readable(uri):
        size_bytes = file.seek(0, os.SEEK_END)
        with pq.ParquetFile(file) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    names = _level_names(schema)
    kinds = {field.name: str(field.type) for field in schema}
    return FrameDetails(
        uri=uri,
        rows=rows,
        size_bytes=size_bytes,
        index={name: _told(kinds[place], levels.get(name)) for place, name in names.items()},
        columns={
            name: _told(kind, columns.get(name))
            for name, kind in kinds.items()
            if name not in names
        },
        load=pandas_line(uri),
    )


def pandas_line(uri: str) -> str:
    """A line of Python that reads a frame, as a bucket or folder has it, and shows it."""
    if not uri.startswith("s3://"):
        return f"import pandas as pd; pd.read_parquet({_quoted(uri)})"
    settings, own = S3Settings(), os.environ.get("AWS_ENDPOINT_URL_S3")
    endpoint = settings.endpoint_url or own
    profile = settings.profile_name
    if _PLAIN.fullmatch(uri) and not (endpoint or settings.region_name or profile):
        return f"import pandas as pd; pd.read_parquet({_quoted(uri)})"
    # As a URI, it would be cut at a `#` or `?`; and pandas knows no settings of ours.
    given = {
        "endpoint_override": endpoint or os.environ.get("AWS_ENDPOINT_URL"),
        "region": settings.region_name,
    }
    options = ", ".join(f"{name}={_quoted(value)}" for name, value in given.items() if value)
    chosen = f'import os; os.environ["AWS_PROFILE"] = {_quoted(profile)}; ' if profile else ""
    return (
        f"{chosen}import pandas as pd; from pyarrow.fs import S3FileSystem; "
        f"pd.read_parquet({_quoted(uri.removeprefix('s3://'))}, filesystem=S3FileSystem({options}))"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _level_names(schema: pa.Schema) -> dict[str, str]:
    """{field of the file: name of the level}. A level may bear the name of a column."""
    metadata = schema.pandas_metadata or {}
    names = {entry.get("field_name"): entry.get("name") for entry in metadata.get("columns", [])}
    # A range is described, and is no field.
    levels = [level for level in metadata.get("index_columns", []) if isinstance(level, str)]
    return {level: names.get(level) or level for level in levels}


def _told(kind: str, description: str | None) -> str:
    return f"{kind}: {description}" if description else kind
