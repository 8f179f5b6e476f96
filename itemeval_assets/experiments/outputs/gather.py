"""Shard outputs into the final tables of a run: `scalars`, `result_file_refs`, `errors`, frames.

Two passes over the shards: the first finds the columns and their types, the second writes
each shard as a row group. One shard is held in memory at a time, whatever the run's size.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from itemeval_assets.experiments.frames.writing import FrameFiles
from itemeval_assets.experiments.spec.models import ExperimentOutputSpec

from .shard_output import ShardOutput
from .survey import Survey
from .tables import shard_tables

Shard = Callable[[], ShardOutput]
"""Reads the output of a shard, which it does twice."""


@dataclass(frozen=True)
class GatherResult:
    """The files of the final tables by name, their rows, and how many specs there were."""

    files: dict[str, Path]
    rows: dict[str, int]
    succeeded: int
    failed: int


def gather(
    shards: Iterable[Shard], folder: Path, output_type: type[ExperimentOutputSpec]
) -> GatherResult:
    """Write `<folder>/<name>.pq` for each final table, rows in the order of the shards.

    `scalars` is always there, `result_file_refs` where the output has file fields, `errors`
    where a spec failed. Raises SpecError for an unreadable shard, and then leaves no file.
    """
    sources = list(shards)
    survey = Survey(output_type)
    for source in sources:
        survey.add(source())
    plan = survey.plan()
    folder.mkdir(parents=True, exist_ok=True)
    with FrameFiles(folder) as written:
        for name, table in plan.items():
            written.open(name, table.schema)
        for source in sources:
            for name, rows in shard_tables(source(), plan):
                written.add(name, rows)
    return GatherResult(written.files, written.rows, survey.succeeded, survey.failed)
