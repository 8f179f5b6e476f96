"""Shard outputs into the final tables of a run: `scalars`, `result_file_refs`, `errors`, frames.

Two passes over the shards: the first finds the columns and their types, the second writes
each shard as a row group. One shard is held in memory at a time, whatever the run's size.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from itemeval_assets.experiments.spec.models import ExperimentOutputSpec

from .outcomes import ShardOutput
from .survey import Plan, Survey
from .tables import shard_tables

__all__ = ["GatherResult", "Shard", "gather"]

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
    files = {name: folder / f"{name}.pq" for name in plan.tables}
    try:
        rows = _write(sources, plan, files)
    except BaseException:
        for path in files.values():
            path.unlink(missing_ok=True)
        raise
    return GatherResult(files, rows, survey.succeeded, survey.failed)


def _write(sources: Sequence[Shard], plan: Plan, files: dict[str, Path]) -> dict[str, int]:
    rows = dict.fromkeys(files, 0)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(pq.ParquetWriter(path, plan.tables[name].schema))
            for name, path in files.items()
        }
        for source in sources:
            for name, table in shard_tables(source(), plan):
                if table.num_rows:
                    writers[name].write_table(table, row_group_size=table.num_rows)
                rows[name] += table.num_rows
    return rows
