"""What loading a task tells: its scores, samples, limits and versions."""

from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.util import registry_info

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.prompts.choices import CHOICES
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock, twins
from itemeval_assets.core.tasks.reference import TaskRef

from .data import remember
from .loaded.loading import load_task
from .loaded.sandboxes import sandbox_of
from .loaded.solvers import calls_known
from .samples import images_in
from .score_names import score_names

_LIMITS = (
    *("message_limit", "token_limit", "turn_limit"),
    *("time_limit", "working_limit", "cost_limit"),
)


def look_at(ref: TaskRef, file: Path | None, now: str) -> TaskLock:
    """Load a task, and say what it is.

    Raises ConfigError where it cannot be loaded, and DatasetError for its data.
    """
    task = load_task(ref, file)
    scores = tuple(_scores(task))
    if told := twins(scores):
        raise ConfigError(f"benchmark.task: {ref.word!r}: {told}")
    remember(ref, file, task)
    return TaskLock(
        task=ref.word,
        args=dict(ref.args),
        scores=scores,
        items=len(task.dataset),
        resolved_at=now,
        metadata=tuple(sorted(_metadata(task))),
        version=str(task.version),
        epochs=task.epochs,
        sandbox=sandbox_of(task),
        limits=_limits(task),
        calls=calls_known(task),
        source=Source(text=file.read_text("utf-8-sig")).hash if file else "",
        packages=_packages(ref),
    )


def _scores(task: Task) -> Iterator[ScoreName]:
    """The scores of a sample, named as inspect_ai names them."""
    scorers = (registry_info(scorer) for scorer in task.scorer or [])
    declared = ((one.name.rpartition("/")[2], one.metadata.get("metrics")) for one in scorers)
    return score_names(declared, _registered_name)


def _registered_name(one: Any) -> str | None:
    """The name that something is registered under with inspect_ai, as metrics are."""
    try:
        return registry_info(one).name
    except (ValueError, AttributeError):
        return None


def _metadata(task: Task) -> set[str]:
    """The columns that the items have."""
    found = {str(key) for sample in task.dataset for key in sample.metadata or {}}
    if any(sample.choices for sample in task.dataset):
        found.add(CHOICES)
    if any(True for sample in task.dataset for _ in images_in(sample)):
        found.add(IMAGES)
    return found


def _limits(task: Task) -> dict[str, float]:
    found = {name: getattr(task, name, None) for name in _LIMITS}
    found["max_tokens"] = task.config.max_tokens
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def _packages(ref: TaskRef) -> dict[str, str]:
    """The versions of inspect_ai, and of the package that has the task."""
    package = "" if ref.file else ref.word.partition("/")[0]
    own = entry_points(group="inspect_ai", name=package) if package else ()
    found = {one.dist.name: one.dist.version for one in own if one.dist}
    return {"inspect_ai": version("inspect_ai"), **found}
