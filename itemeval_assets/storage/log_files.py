"""The raw .eval logs on disk: append-only evidence, one per run and partition.

A log is written in `logs/running` and moved to its condition once its eval has ended, so
what is left there belongs to a run that is alive or was killed.
"""

from collections.abc import Callable
from pathlib import Path

from itemeval_assets.core.study import Partition

from . import layout

__all__ = ["all_logs", "archive_log", "known_logs", "running_dir", "running_logs"]


def running_dir(study_dir: Path) -> Path:
    return study_dir / layout.RUNNING_LOGS


def running_logs(study_dir: Path) -> list[Path]:
    """Logs of runs that are alive or were killed."""
    return sorted(running_dir(study_dir).glob("*.eval"))


def all_logs(study_dir: Path) -> list[str]:
    """Keys of all logs, archived or not."""
    found = (study_dir / layout.LOGS).rglob("*.eval")
    return sorted(path.relative_to(study_dir).as_posix() for path in found)


def archive_log(
    study_dir: Path, path: Path, partition: Partition, created: str, task_id: str
) -> str:
    """Move a log to its condition's folder; returns its key, as rows record it."""
    key = layout.log_key(partition, created, task_id)
    target = study_dir / key
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    return key


def known_logs(study_dir: Path, partition: Partition, wanted: Callable[[str], bool]) -> list[str]:
    """Keys of the partition's archived logs, oldest first, that are `wanted`."""
    pattern = f"*_{partition[0]}_*.eval" if len(partition) == 2 else "*.eval"
    folder = study_dir / layout.log_dir(partition)
    keys = (path.relative_to(study_dir).as_posix() for path in sorted(folder.glob(pattern)))
    return [key for key in keys if wanted(key)]
