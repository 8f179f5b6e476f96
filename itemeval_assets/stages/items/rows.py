"""The rows that the data of a study make, at the revisions that are asked for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.design.items.sampling import drawn
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.data.datasets import Loaded, load_items
from itemeval_assets.engine.data.images import Keep
from itemeval_assets.engine.tasks.data import load_data, require_steady
from itemeval_assets.storage.study.inputs.task_lock import task_file
from itemeval_assets.storage.study.store import ResultsStore

from .pins import pins


def rows_of_data(
    study: Study,
    store: ResultsStore,
    revisions: Mapping[str, str],
    stored: list[dict[str, Any]],
    keep: Keep | None = None,
    known: Mapping[tuple[str, str], list[str]] = MappingProxyType({}),
    *,
    again: bool = False,
) -> Loaded:
    """`again`: a task is loaded twice also where its data are pinned.

    Items that come from logs are those that an import has stored.
    """
    benchmark = study.config.benchmark
    if benchmark.from_logs:
        rows = [{name: row[name] for name in row if name != "created_at"} for row in stored]
        return Loaded(rows, len(rows))
    if not isinstance(benchmark, TaskBenchmark):
        return load_items(benchmark, revisions, study.config_dir, keep, known)
    file = task_file(benchmark.ref, study.config_dir)
    if again or not pins(store):
        require_steady(benchmark.ref, file)
    rows = _in_order_of(stored, load_data(benchmark.ref, file, keep).rows, revisions)
    chosen = drawn(rows, benchmark.sample) if benchmark.sample else range(len(rows))
    return Loaded([rows[place] for place in chosen], len(rows))


def _in_order_of(
    stored: list[dict[str, Any]], rows: list[dict[str, Any]], revisions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The items of a task in the order in which they are stored: some shuffle their samples."""
    places = {row["item_id"]: place for place, row in enumerate(stored)}
    return [
        {**row, "dataset_revision": revisions[row["dataset_id"]]}
        for row in sorted(rows, key=lambda row: places.get(row["item_id"], len(places)))
    ]
