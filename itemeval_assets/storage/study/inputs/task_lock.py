"""Reads and writes `task_lock.json`: what loading a study's task told. Loads no task."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.directory import StudyDirectory
from itemeval_assets.storage.study.layout import TASK_LOCK


def task_file(task: TaskRef, base: Path) -> Path | None:
    """Where the file of a task lies; `base`: the folder of the YAML. Null for one of a package."""
    return (base / Path(task.file).expanduser()).resolve() if task.file else None


def task_template(task: TaskRef, base: Path) -> Template:
    """What stands in the place of a prompt where a task has its own."""
    return task.as_template(str(task_file(task, base) or ""))


def read_task_lock(config: StudyConfig, location: str, path: Path) -> TaskLock | None:
    """What is known of the task of a study; null where it has none. `path`: of its YAML.

    Raises ConfigError where nobody has loaded the task yet, or none of its logs has come in, and
    StoreError for a damaged file.
    """
    task = config.benchmark.ref
    if task is None:
        return None
    found = stored_lock(config.study, location)
    if (found is None or not found.is_of(task)) and config.benchmark.from_logs:
        raise ConfigError(
            f"{path}: benchmark.task: no log of {task.word!r} with these arguments has come in "
            "yet, so nothing tells its items and scorers. Take logs in: itemeval-assets import "
            f"LOGS {path}"
        )
    if found is None or not found.is_of(task):
        raise ConfigError(
            f"{path}: benchmark.task: nobody has loaded {task.word!r} with these arguments yet, so "
            "nothing tells its scorers. Load it, without a call: itemeval-assets estimate "
            f"{path}"
        )
    return found


def stored_lock(study: str, location: str) -> TaskLock | None:
    """The lock in the folder of a study; null where there is none. Raises StoreError."""
    directory = StudyDirectory(open_backend(location), study)
    document = directory.read_json(TASK_LOCK)
    if document is None:
        return None
    try:
        return TaskLock.from_document(document)
    except ValueError as error:
        raise directory.damaged(TASK_LOCK, "does not describe a task") from error


def write_task_lock(study: str, location: str, lock: TaskLock) -> None:
    """Keep what loading a task told."""
    directory = StudyDirectory(open_backend(location), study)
    directory.update_json(TASK_LOCK, lambda _: lock.to_document())


def keep_task(study: Study) -> None:
    """Keep what a study knows of its task, where nobody has kept it yet."""
    known = study.snapshot.task
    if known is not None and stored_lock(study.name, study.location) is None:
        write_task_lock(study.name, study.location, known)


def keep_told(study: Study) -> None:
    """Keep what the logs of a task have told, beside the scores that others may have learned."""
    told = study.snapshot.task
    if told is None:
        return
    now = told

    def add(document: dict[str, Any]) -> dict[str, Any]:
        known = TaskLock.from_document(document) if document else now
        same = (known.task, known.args) == (now.task, now.args)
        return now.with_learned(known.all_scores if same else ()).to_document()

    if stored_lock(study.name, study.location) != told:
        StudyDirectory(open_backend(study.location), study.name).update_json(TASK_LOCK, add)


def learn_scores(study: str, location: str, names: Iterable[ScoreName]) -> None:
    """Keep scores that logs told of, beside those that others may have learned meanwhile."""

    def add(document: dict[str, Any]) -> dict[str, Any]:
        return TaskLock.from_document(document).with_learned(names).to_document()

    StudyDirectory(open_backend(location), study).update_json(TASK_LOCK, add)
