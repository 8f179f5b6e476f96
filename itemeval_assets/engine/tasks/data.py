"""The items of a task. inspect_ai, and the task's own code, load when they are not known yet."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.tasks.differences import MAKE_IT_STEADY, difference
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.engine.data.images import Keep

if TYPE_CHECKING:
    from inspect_ai import Task

    from .samples import TaskData

# The data of the task that was loaded last: a command looks at them several times.
_known: dict[str, "TaskData"] = {}
# The task that was loaded twice, and had the same data both times.
_steady: set[str] = set()


def load_data(task: TaskRef, file: Path | None, keep: Keep | None = None) -> "TaskData":
    """The samples of a task as items. `keep` is given each image.

    They are those of the last look. Raises ConfigError for a task that cannot be loaded, and
    DatasetError for its data.
    """
    found = _known.get(_mark(task, file))
    if found is None or (keep and any(IMAGES in row["metadata_json"] for row in found.rows)):
        found = remember(task, file, _loaded(task, file), keep)
    return found


def remember(
    task: TaskRef, file: Path | None, loaded: "Task", keep: Keep | None = None
) -> "TaskData":
    """The data of a task that was loaded just now, from which on they are known."""
    found = _data_of(task, file, loaded, keep)
    _known.clear()
    _known[_mark(task, file)] = found
    return found


def require_steady(task: TaskRef, file: Path | None) -> None:
    """Raise DatasetError where a task has other data when it is loaded once more.

    Answers are stored with the items of their samples: there have to be such items tomorrow, too.
    """
    mark, first = _mark(task, file), load_data(task, file)
    if mark in _steady:
        return
    again = _data_of(task, file, _loaded(task, file))
    if first.revisions[0] != again.revisions[0]:
        raise DatasetError(
            f"benchmark.task: {task.word!r} has other data each time it is loaded: "
            f"{difference(first.rows, again.rows)}; {MAKE_IT_STEADY}"
        )
    _steady.clear()
    _steady.add(mark)


def _loaded(task: TaskRef, file: Path | None) -> "Task":
    from .loaded.loading import load_task  # noqa: PLC0415 (loads inspect_ai)

    return load_task(task, file)


def _data_of(
    task: TaskRef, file: Path | None, loaded: "Task", keep: Keep | None = None
) -> "TaskData":
    from .samples import items_of_task  # noqa: PLC0415 (loads inspect_ai)

    return items_of_task(loaded, task.word, file.parent if file else None, keep)


def _mark(task: TaskRef, file: Path | None) -> str:
    """What tells a task from others, and its file from what it was before."""
    text = file.read_bytes() if file and file.is_file() else b""
    return json.dumps([task.payload, str(file), hashlib.sha256(text).hexdigest()])
