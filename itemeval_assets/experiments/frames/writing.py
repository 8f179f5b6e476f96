"""Writes frames as files of Parquet, part by part: none is ever in memory as a whole."""

from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq


class FrameFiles(ExitStack):
    """Open files `<folder>/<name>.pq`, and their rows; none stays where the block fails."""

    def __init__(self, folder: Path, compression: Literal["snappy", "zstd"] = "snappy") -> None:
        super().__init__()
        self.files: dict[str, Path] = {}
        self.rows: dict[str, int] = {}
        self._folder, self._compression = folder, compression
        self._writers: dict[str, pq.ParquetWriter] = {}

    def open(self, name: str, schema: pa.Schema) -> None:
        """Begin a frame."""
        path = self._folder / f"{name}.pq"
        self.push(lambda kind, error, trace: path.unlink(missing_ok=True) if kind else None)
        writer = pq.ParquetWriter(path, schema, compression=self._compression)
        self._writers[name] = self.enter_context(writer)
        self.files[name], self.rows[name] = path, 0

    def schema(self, name: str) -> pa.Schema:
        """The schema that a frame was begun with."""
        return self._writers[name].schema

    def add(self, name: str, rows: pa.Table) -> None:
        """Add rows to a frame, as a row group."""
        if rows.num_rows:
            self._writers[name].write_table(rows, row_group_size=rows.num_rows)
        self.rows[name] += rows.num_rows
