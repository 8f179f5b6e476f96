"""The items of a task. inspect_ai, and the task's own code, load when they are not known yet."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.engine.data.images import Keep

if TYPE_CHECKING:
    from inspect_ai import Task

Row = dict[str, Any]
# The items of the task that was loaded last: a command looks at them several times.
_known: dict[str, list[Row]] = {}


def load_samples(task: TaskRef, file: Path | None, keep: Keep | None = None) -> list[Row]:
    """The samples of a task as items, in order, without `created_at`. `keep` is given each image.

    They are those of the last look. Raises ConfigError for a task that cannot be loaded, and
    DatasetError for its data.
    """
    found = _known.get(_mark(task, file))
    if found is None or (keep and any(IMAGES in row["metadata_json"] for row in found)):
        from .loading import load_task  # noqa: PLC0415 (loads inspect_ai)

        found = remember(task, file, load_task(task, file), keep)
    return [dict(row) for row in found]


def remember(
    task: TaskRef, file: Path | None, loaded: "Task", keep: Keep | None = None
) -> list[Row]:
    """The items of a task that was loaded just now, from which on they are known."""
    from .samples import items_of_task  # noqa: PLC0415 (loads inspect_ai)

    _known.clear()
    found = items_of_task(loaded, task.word, file.parent if file else None, keep)
    _known[_mark(task, file)] = found
    return found


def _mark(task: TaskRef, file: Path | None) -> str:
    """What tells a task from others, and its file from what it was before."""
    text = file.read_bytes() if file and file.is_file() else b""
    return json.dumps([task.payload, str(file), hashlib.sha256(text).hexdigest()])
