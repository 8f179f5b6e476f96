"""What an import found to take in, whoever wrote it; and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import SOLUTIONS, arrow_schema
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.foreign_logs import SamplePlace
from itemeval_assets.storage.objects.backends import Backend
from itemeval_assets.storage.study.inputs.template_lock import Kept

# Where a log was, in the metadata of its copy.
IMPORTED_FROM = "imported_from"
# In the manifest of a run of somebody else, in the place of its policy.
IMPORTED = "imported"
# The columns of rows that name cells alone.
CELLS = pa.schema(
    [arrow_schema(SOLUTIONS).field(name) for name in ("item_id", "epoch", "error", "log_file")]
)


class LogPart(NamedTuple):
    """The copy of a log that one partition gets: its key here, and what its header is to say.

    `of_cells`: what its samples are to say besides. `only`: the cells whose samples it has; null:
    all.
    """

    partition: Partition
    key: str
    metadata: Mapping[str, Any]
    of_cells: Mapping[Cell, Mapping[str, Any]] = {}
    only: frozenset[Cell] | None = None


class FoundLog(NamedTuple):
    """A log of the source by its key there, and the copies to make of it.

    `places`: where its samples are here, if elsewhere.
    """

    key: str
    parts: Sequence[LogPart]
    places: Mapping[SamplePlace, SamplePlace] = {}


@dataclass(frozen=True)
class LeftOut:
    """What does not come in: how many of which things, and why."""

    count: int
    what: str
    why: str

    @property
    def words(self) -> str:
        """How many of what. `what` begins with a noun in the plural."""
        noun, _, rest = self.what.partition(" ")
        return f"{counted(self.count, noun.removesuffix('s'))} {rest}"


@dataclass
class Found:
    """What a source holds for a study.

    `rows` are those of solutions and gradings, by partition, in our schema; their `log_file` is the
    key in the source. Where logs tell all, rows are cells alone: item_id, epoch, error, log_file.
    `pins`: the revisions of the datasets, by id.
    """

    study: Study
    source: Backend
    items: pa.Table
    pins: Mapping[str, Any]
    rows: Mapping[Partition, pa.Table]
    logs: Sequence[FoundLog]
    manifests: Mapping[str, Mapping[str, Any]]
    templates: Kept = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class ImportSummary(NamedTuple):
    """What an import has taken in, or would take in (`is_dry_run`); `notes` say what to know."""

    study: str
    config: str
    source: str
    location: str
    is_dry_run: bool
    items: int
    solutions: int
    gradings: int
    logs: int
    left_out: list[LeftOut]
    notes: list[str]

    @property
    def is_nothing(self) -> bool:
        """Whether all of it was there already."""
        return not (self.items or self.solutions or self.gradings or self.logs)
