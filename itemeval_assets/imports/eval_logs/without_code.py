"""Looks through the logs of a task whose code is not here. Writes nothing.

The logs tell the items and the scores; which answers come in is told by the survey of logs, as for
a task that loads.
"""

from dataclasses import replace
from pathlib import Path

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.logs.reading import read_log_header
from itemeval_assets.engine.study_files import study_with_task
from itemeval_assets.engine.tasks.logs.without_code import LoggedTask
from itemeval_assets.imports.found import Found
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.inputs import load_config
from itemeval_assets.storage.study.inputs.study_file import study_location
from itemeval_assets.storage.study.inputs.task_lock import stored_lock
from itemeval_assets.storage.study.store import ResultsStore

from .place import LogFolder, place_of
from .survey import Survey
from .told import ToldByLogs

_ANOTHER = (
    "a study is of one task that was run in one way; give these a study of their own (`study:` "
    "name)"
)


class NothingGrades(ConfigError):
    """Logs without a score come into a study that has no grader."""


def survey_without_code(path: str, config: str | Path) -> Found:
    """What the logs at `path` hold for the study of a config whose adapter is `logs`.

    Raises an ItemevalAssetsError, which names the place, where a log cannot be read, two tell of
    other samples, none is of the study, or nothing would grade.
    """
    folder, keys = place_of(path, config)
    parsed, file = load_config(config)
    task = parsed.benchmark.ref
    assert task is not None
    before = stored_lock(parsed.study, study_location(parsed, file))
    study = study_with_task(file, _some_lock(task, before))
    store = ResultsStore(open_backend(study.location), study.name)
    store.imports = True
    store.require_owner(study)
    logs = LogFolder(folder, keys, study)
    stored = store.read("items")
    looked = Survey(study, _logged_task(task, store, logs), logs, stored, _ANOTHER)
    told = ToldByLogs(task, stored.to_pylist(), study.location)
    for key, _, _ in looked.fitting:
        told.add(logs.log(key), logs.source.uri(key))
    if (items := told.items).num_rows:
        lock, facets = told.lock(before), parsed.facets
        if not (lock.all_scores or facets.grader or facets.scorers):
            raise NothingGrades(
                f"{logs.source.uri('')}: no sample has a score, so nothing would grade. Name a "
                f"judge (facets.grader) or a scorer (facets.scorer) in {file}, and import again. "
                "Nothing was taken"
            )
        looked.know(study_with_task(file, lock), items)
    found = looked.found()
    return replace(found, notes=[*found.notes, *told.notes])


def _some_lock(task: TaskRef, before: TaskLock | None) -> TaskLock:
    """What is known before a log is read: which conditions answer depends on no score."""
    if before is not None and before.is_of(task):
        return before
    return TaskLock(task.word, dict(task.args), (ScoreName("score"),), 0, now(), from_logs=True)


def _logged_task(task: TaskRef, store: ResultsStore, logs: LogFolder) -> LoggedTask:
    """The task with its pattern: a log that came in before; else what most of the logs are like."""
    rows = store.read("solutions", columns=["log_file"])["log_file"].to_pylist()
    for key in sorted({key for key in rows if key}):
        if store.backend.exists(key):
            copy = store.backend.local_copy(key)
            return LoggedTask(task, read_log_header(copy, store.backend.uri(key)))
    by_time = sorted(logs.headers.values(), key=lambda header: header.eval.created)
    return LoggedTask(task).like_most(by_time)
