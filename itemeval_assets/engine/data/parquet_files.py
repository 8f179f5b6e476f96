"""Reads Parquet: one file, or those of a folder or a pattern, which are one table in parts."""

import glob
import hashlib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.design.items.items import Record
from itemeval_assets.core.errors import DatasetError

from .column_names import refuse_doubled

SUFFIX = ".parquet"


def read_parquet(path: Path) -> list[Record]:
    """The records of one file. Raises DatasetError."""
    return [Record(f"row {number}", row) for number, row in enumerate(_table(path).to_pylist(), 1)]


@dataclass(frozen=True)
class Parts:
    """The Parquet files below a folder whose paths there match a pattern."""

    root: Path
    pattern: str

    @property
    def files(self) -> list[Path]:
        """Sorted by name. Raises DatasetError where there is none, and for another format."""
        found = [file for file in self.root.glob(self.pattern) if _is_data(file)]
        if not found:
            raise DatasetError(
                f"benchmark.datasets: no file in {self.root} matches {self.pattern}. Adapter "
                "`local` reads one file, or Parquet files: a folder, or a pattern such as "
                f"data/**/*{SUFFIX}; for a folder of files of other formats write `adapter: hf`"
            )
        if others := [file for file in found if file.suffix.lower() != SUFFIX]:
            raise DatasetError(
                f"benchmark.datasets: {self.pattern} matches {others[0].name} in {self.root}, too: "
                f"only Parquet files are read as one table; end the pattern with *{SUFFIX}"
            )
        return sorted(found, key=self.name)

    def name(self, file: Path) -> str:
        """The path of a file below the folder, with slashes."""
        return file.relative_to(self.root).as_posix()

    def read(self) -> list[Record]:
        """The records of all files, one file after the other.

        Raises DatasetError where two files have other columns.
        """
        tables = {self.name(file): _table(file) for file in self.files}
        first = next(iter(tables))
        for name, table in tables.items():
            _require_one_schema(str(self.root), (first, tables[first].schema), (name, table.schema))
        return [
            Record(f"{name}, row {number}", row)
            for name, table in tables.items()
            for number, row in enumerate(table.to_pylist(), 1)
        ]

    def content_hash(self) -> str:
        """First 40 hex of the sha256 of a line for each file: the sha256 of it, and its name."""
        digest = hashlib.sha256()
        for file in self.files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{content}  {self.name(file)}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:40]


def parts_of(id: str, base: Path) -> Parts | None:
    """The files that the id of a dataset, a folder or a pattern, stands for; else null."""
    path = Path(id).expanduser()
    place = (base / path).resolve()
    if place.is_dir():
        return Parts(place, f"*{SUFFIX}")
    if place.exists() or not glob.has_magic(id):
        return None
    fixed = list(takewhile(lambda part: not glob.has_magic(part), path.parts))
    return Parts((base / Path(*fixed)).resolve(), "/".join(path.parts[len(fixed) :]))


def _is_data(file: Path) -> bool:
    return file.is_file() and not file.name.startswith((".", "_"))


def _table(path: Path) -> pa.Table:
    try:
        table = pq.ParquetFile(path).read()  # read_table takes folders named a=1 for columns
    except (pa.ArrowException, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DatasetError(
            f"{path}: not readable as Parquet: {first}; write the file again"
        ) from error
    refuse_doubled(table.column_names, str(path))
    return table


def _require_one_schema(
    folder: str, first: tuple[str, pa.Schema], second: tuple[str, pa.Schema]
) -> None:
    """Whatever the order of the columns, and where a file has no value in one."""
    (one, schema), (two, other) = first, second
    where = f"benchmark.datasets: {one} and {two} in {folder} differ"
    for name in [*schema.names, *other.names]:
        lacking = [file for file, columns in (first, second) if name not in columns.names]
        if lacking:
            raise DatasetError(
                f"{where}: there is no column {name!r} in {lacking[0]}; write all files with the "
                "same columns"
            )
        types = schema.field(name).type, other.field(name).type
        if types[0] != types[1] and pa.null() not in types:
            raise DatasetError(
                f"{where}: column {name!r} is {types[0]} in the first and {types[1]} in the "
                "second; write all files with the same types"
            )
