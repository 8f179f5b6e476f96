"""Loads the items of a task. inspect_ai, and the task's own code, load when this is called."""

from pathlib import Path
from typing import Any

from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.engine.data.images import Keep


def load_samples(
    task: TaskRef, file: Path | None, keep: Keep | None = None
) -> list[dict[str, Any]]:
    """The samples of a task as items, in order, without `created_at`. `keep` is given each image.

    Raises ConfigError for a task that cannot be loaded, and DatasetError for its data.
    """
    from .loading import load_task  # noqa: PLC0415 (loads inspect_ai)
    from .samples import items_of_task  # noqa: PLC0415 (loads inspect_ai)

    base = file.parent if file else None
    return items_of_task(load_task(task, file), task.word, base, keep)
