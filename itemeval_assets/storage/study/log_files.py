"""The raw .eval logs of a study: append-only evidence, one per run and partition.

A log is written in `logs/running` and moved to its condition once its eval has ended, so
what is left there belongs to a run that is alive or was killed. Notes beside it tell the usage
of replies that it may not hold yet.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.storage.objects.backends import Backend
from itemeval_assets.storage.own_files import LOG, NOTES, data_files

from . import layout


def writing_logs(backend: Backend) -> AbstractContextManager[Path]:
    """The folder of this machine that logs are written to while the block runs."""
    return backend.workspace(layout.RUNNING_LOGS)


def running_key(path: Path) -> str:
    """The key of a log that was written by `writing_logs`."""
    return f"{layout.RUNNING_LOGS}/{path.name}"


def notes_of(log: str) -> str:
    """The key, or path, of the notes of a log."""
    return log.removesuffix(LOG) + NOTES


def running_logs(backend: Backend) -> list[str]:
    """Keys of the logs of runs that are alive or were killed."""
    backend.adopt(layout.RUNNING_LOGS)
    return data_files(backend.list(layout.RUNNING_LOGS), LOG)


def notes_without_log(backend: Backend) -> list[str]:
    """Keys of notes whose log somebody has taken away."""
    keys = backend.list(layout.RUNNING_LOGS)
    told = {notes_of(key) for key in data_files(keys, LOG)}
    return [key for key in data_files(keys, NOTES) if key not in told]


def all_logs(backend: Backend) -> list[str]:
    """Keys of all logs, archived or not."""
    return data_files(backend.list(layout.LOGS), LOG)


def archive_log(
    backend: Backend, key: str, partition: Partition, created: str, task_id: str
) -> str:
    """Move a log to its condition's folder; returns its key from then on, as rows record it."""
    archived = layout.log_key(partition, created, task_id)
    backend.move(key, archived)
    return archived


def known_logs(backend: Backend, partition: Partition, wanted: Callable[[str], bool]) -> list[str]:
    """Keys of the partition's archived logs, oldest first, that are `wanted`."""
    graded = f"_{partition.gen_condition_id}_" if partition.gen_condition_id else ""
    found = data_files(backend.list(layout.log_dir(partition)), LOG)
    return [key for key in found if graded in key.rpartition("/")[2] and wanted(key)]
