"""The outcomes of one shard as one object of bytes, with frames of equal schema together."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.experiments.errors import SpecError

from .outcomes import Failure, FrameRows, Outcome

_FORMAT = 1
_ROWS = "rows.json"


class UnreadableShardError(SpecError):
    """The bytes are no output of a shard, or not the whole of one."""


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
