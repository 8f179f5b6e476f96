"""The task of a study, looked at now: commands that call load it, and keep what it told."""

from dataclasses import replace
from pathlib import Path

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, DatasetError
from itemeval_assets.core.tasks.lock import TaskLock
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.study_files import load_study, study_with_task
from itemeval_assets.engine.tasks.facts import look_at
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.inputs import load_config
from itemeval_assets.storage.study.inputs.study_file import study_location
from itemeval_assets.storage.study.inputs.task_lock import (
    stored_lock,
    task_file,
    write_task_lock,
)
from itemeval_assets.storage.study.store import ResultsStore

from .scores import names_in_logs


def open_study(config: str | Path, *, imports: bool = False) -> Study:
    """A study with its task as it is now. Where `task_lock.json` says otherwise, it is written.

    `imports`: also one whose import was cut off, which goes on. A task whose code is not here stays
    as its logs told it.

    Where there is none, `keep_task` writes it once nothing refuses the command. Raises ConfigError
    for a task that cannot be loaded. Nothing is written then.
    """
    parsed, path = load_config(config)
    task = parsed.benchmark.ref
    if task is None or parsed.benchmark.from_logs:
        return load_study(config)
    try:
        found = look_at(task, task_file(task, path.parent), now())
    except (ConfigError, DatasetError) as error:
        raise type(error)(f"{path}: {error}") from error
    location = study_location(parsed, path)
    known = stored_lock(parsed.study, location)
    lock = found.after(known)
    study = study_with_task(path, lock)
    store = ResultsStore(open_backend(study.location), study.name)
    store.imports = imports
    store.require_owner(study)
    if lock.changed and not _has_older_solutions(store, lock):
        lock = replace(lock, changed=())
    is_known = known is not None and known.is_of(task)
    if not is_known and (names := names_in_logs(study, store)):
        lock = lock.with_learned(names)
    if lock != study.snapshot.task:
        study = study_with_task(path, lock)
    if known is not None and lock != known:
        write_task_lock(parsed.study, location, lock)
    return study


def _has_older_solutions(store: ResultsStore, lock: TaskLock) -> bool:
    """Whether solutions are stored that were made before the task became what it is."""
    found = store.read("solutions", columns=["error", "created_at"]).to_pylist()
    return any(row["error"] is None and row["created_at"] <= lock.resolved_at for row in found)
