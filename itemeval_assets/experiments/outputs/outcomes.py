"""What the specs of one shard led to, and its form as one object of bytes.

Values are kept as they are, not yet as columns: which type a column has is known only when all
shards of a run are there. Frames are kept as Arrow, those of equal schema together.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.experiments.errors import SpecError

__all__ = [
    "Failure",
    "FrameRows",
    "Outcome",
    "ShardOutput",
    "UnreadableShardError",
    "by_stored",
    "done",
    "merge",
    "stored_rows",
]

_FORMAT = 1
_ROWS = "rows.json"


class UnreadableShardError(SpecError):
    """The bytes are no output of a shard, or not the whole of one."""


@dataclass(frozen=True)
class Failure:
    """Why a spec has no output."""

    error_type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, eq=False)
class FrameRows:
    """The rows of one frame of one spec, without the levels of the spec.

    `levels_before` and `levels_after` name the columns that are index levels of the frame's
    own, before and after the row number within the spec. Specs of a shard may share `stored`:
    a slice of a wide table for each of them would take more memory than the values.
    """

    stored: pa.Table
    levels_before: tuple[str, ...] = ()
    levels_after: tuple[str, ...] = ()
    start: int = 0
    count: int | None = None

    @property
    def n_rows(self) -> int:
        return self.stored.num_rows - self.start if self.count is None else self.count

    @property
    def is_numbered(self) -> bool:
        """Whether its index was the number of the row, and no more."""
        return not self.levels_before and not self.levels_after

    @property
    def table(self) -> pa.Table:
        return self.stored.slice(self.start, self.n_rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameRows) and (
            (self.levels_before, self.levels_after, self.table)
            == (other.levels_before, other.levels_after, other.table)
        )

    def __hash__(self) -> int:
        return hash((self.levels_before, self.levels_after, self.n_rows))


@dataclass(frozen=True)
class Outcome:
    """What one spec led to: its index levels, and its output or its failure."""

    sort_index: int
    levels: dict[str, Any]
    scalars: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str | None] = field(default_factory=dict)
    frames: dict[str, FrameRows] = field(default_factory=dict)
    failure: Failure | None = None
    # How long the spec took; not stored.
    took_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class ShardOutput:
    """The outcomes of a shard, by `sort_index`, ascending."""

    outcomes: tuple[Outcome, ...]

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.sort_index))
        object.__setattr__(self, "outcomes", ordered)

    def encode(self) -> bytes:
        """One self-contained object: `decode` gives an equal output back."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            places = _write_frames(file, self.outcomes)
            rows = [
                _row(outcome, frames) for outcome, frames in zip(self.outcomes, places, strict=True)
            ]
            file.writestr(_ROWS, json.dumps({"format": _FORMAT, "rows": rows}))
        return buffer.getvalue()

    @staticmethod
    def decode(data: bytes) -> "ShardOutput":
        """The output that `encode` wrote.

        Raises UnreadableShardError when the bytes are none, SpecError for one of another format.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                document = load_json(file.read(_ROWS))
                if document["format"] != _FORMAT:
                    raise SpecError(
                        f"a shard output has format {document['format']!r}, this version reads "
                        f"{_FORMAT}; read it with the version of itemeval-assets that wrote it"
                    )
                tables = _read_frames(file)
                return ShardOutput(_outcome(row, tables) for row in document["rows"])
        except (
            zipfile.BadZipFile,
            zlib.error,
            LookupError,
            TypeError,
            ValueError,
            OSError,
            pa.ArrowException,
        ) as error:
            raise UnreadableShardError(
                f"a shard output is unreadable: {error}; materialize the run's partition again, "
                "or call resume(): its specs are run again"
            ) from error


def merge(old: ShardOutput, new: ShardOutput) -> ShardOutput:
    """The outcomes of both: of one spec, a success beats a failure, then the newer the older."""
    merged = {outcome.sort_index: outcome for outcome in old.outcomes}
    for outcome in new.outcomes:
        known = merged.get(outcome.sort_index)
        if known is None or known.failure is not None or outcome.failure is None:
            merged[outcome.sort_index] = outcome
    return ShardOutput(merged.values())


def done(output: ShardOutput) -> set[int]:
    """The `sort_index` of every spec that succeeded."""
    return {outcome.sort_index for outcome in output.outcomes if outcome.failure is None}


def by_stored(frames: Sequence[FrameRows]) -> list[list[int]]:
    """The places of those frames that share a stored table, table by table."""
    groups: dict[int, list[int]] = {}
    for place, frame in enumerate(frames):
        groups.setdefault(id(frame.stored), []).append(place)
    return list(groups.values())


def stored_rows(frames: Sequence[FrameRows]) -> pa.Table:
    """The rows of frames that share a stored table, one frame after the other."""
    (stored,) = {id(frame.stored): frame.stored for frame in frames}.values()
    places = np.concatenate([np.arange(f.start, f.start + f.n_rows) for f in frames])
    if np.array_equal(places, np.arange(stored.num_rows)):
        return stored
    return stored.take(pa.array(places, pa.int64()))


@dataclass
class _Group:
    """Tables of one frame and one schema, which are stored as one."""

    member: str
    tables: list[pa.Table] = field(default_factory=list)
    n_rows: int = 0

    def add(self, table: pa.Table) -> int:
        """Add a table; the place of its first row."""
        self.tables.append(table)
        self.n_rows += table.num_rows
        return self.n_rows - table.num_rows


def _row(outcome: Outcome, frames: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"sort_index": outcome.sort_index, "levels": outcome.levels}
    if outcome.failure is not None:
        return {**row, "failure": vars(outcome.failure)}
    return {**row, "scalars": outcome.scalars, "files": outcome.files, "frames": frames}


def _outcome(row: dict[str, Any], tables: dict[str, pa.Table]) -> Outcome:
    if "failure" in row:
        return Outcome(row["sort_index"], row["levels"], failure=Failure(**row["failure"]))
    frames = {
        name: FrameRows(
            tables[place["member"]],
            tuple(place["before"]),
            tuple(place["after"]),
            place["offset"],
            place["rows"],
        )
        for name, place in row["frames"].items()
    }
    return Outcome(row["sort_index"], row["levels"], row["scalars"], row["files"], frames)


def _write_frames(
    file: zipfile.ZipFile, outcomes: Sequence[Outcome]
) -> list[dict[str, dict[str, Any]]]:
    """Write tables of equal schema as one; for each outcome, where the rows of its frames are."""
    groups: dict[tuple[str, pa.Schema], _Group] = {}
    stored: dict[tuple[str, int], tuple[_Group, int]] = {}
    places: list[dict[str, dict[str, Any]]] = []
    for outcome in outcomes:
        place: dict[str, dict[str, Any]] = {}
        for name, frame in outcome.frames.items():
            known = name, id(frame.stored)
            if known not in stored:
                key = name, frame.stored.schema
                group = groups.setdefault(key, _Group(_member(len(groups))))
                stored[known] = group, group.add(frame.stored)
            group, offset = stored[known]
            place[name] = {
                "member": group.member,
                "offset": offset + frame.start,
                "rows": frame.n_rows,
                "before": frame.levels_before,
                "after": frame.levels_after,
            }
        places.append(place)
    for group in groups.values():
        table = pa.concat_tables(group.tables)
        file.writestr(group.member, _ipc(table), zipfile.ZIP_STORED)
    return places


def _member(number: int) -> str:
    return f"frames/{number}.arrow"


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def _read_frames(file: zipfile.ZipFile) -> dict[str, pa.Table]:
    options = pa.ipc.IpcReadOptions(use_threads=False)
    return {
        name: pa.ipc.open_stream(file.read(name), options=options).read_all()
        for name in file.namelist()
        if name != _ROWS
    }
