"""What specs led to: their index levels, and their output or their failure.

Values are kept as they are, not yet as columns: which type a column has is known only when all
shards of a run are there. Frames are kept as Arrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa


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
