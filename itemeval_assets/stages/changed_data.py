"""Local data that changed since a study pinned them: what its stored results are not of.

A run refuses such data. What only reads results goes on, and says so.
"""

from itemeval_assets.core.config.sections import DatasetConfig, TaskBenchmark
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.data.datasets import bytes_on_disk
from itemeval_assets.storage.study.store import ResultsStore

from .items import changed_datasets

__all__ = ["notes_on_data"]

# Of one dataset. Reading more than this would take longer than the command itself.
_MOST_BYTES = 2**26


def notes_on_data(study: Study, store: ResultsStore) -> list[str]:
    """A sentence that names the local datasets whose bytes are others now; none where all are same.

    Nothing is said of data of the hub and of tasks, of data that are gone, and of large ones.
    """
    benchmark = study.config.benchmark
    if isinstance(benchmark, TaskBenchmark):
        return []
    changed = [one.id for one in benchmark.datasets if _is_changed(study, store, one)]
    if not changed:
        return []
    names = ", ".join(map(repr, changed))
    return [
        f"{names} changed since this study pinned {'it' if len(changed) == 1 else 'them'}: these"
        " figures are of the data as they were; `run` tells which items changed."
    ]


def _is_changed(study: Study, store: ResultsStore, dataset: DatasetConfig) -> bool:
    # With a `revision`, changed data are an error.
    dataset = dataset.model_copy(update={"revision": None})
    try:
        size = bytes_on_disk(dataset, study.config.benchmark.adapter, study.config_dir)
        return size <= _MOST_BYTES and bool(changed_datasets(study, store, [dataset]))
    except (DatasetError, OSError):
        return False
