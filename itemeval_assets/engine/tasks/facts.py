"""What loading a task tells: its scores, samples, limits and versions."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.scorer import Scorer
from inspect_ai.util import registry_info

from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.prompts.choices import CHOICES
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef

from .loading import load_task
from .samples import images_in
from .solvers import calls_known

_LIMITS = (
    *("message_limit", "token_limit", "turn_limit"),
    *("time_limit", "working_limit", "cost_limit"),
)


def look_at(ref: TaskRef, file: Path | None, now: str) -> TaskLock:
    """Load a task, and say what it is. Raises ConfigError where it cannot be loaded."""
    task = load_task(ref, file)
    return TaskLock(
        task=ref.word,
        args=dict(ref.args),
        scores=tuple(_scores(task)),
        items=len(task.dataset),
        resolved_at=now,
        metadata=tuple(sorted(_metadata(task))),
        version=str(task.version),
        epochs=task.epochs,
        sandbox=task.sandbox.type if task.sandbox else None,
        limits=_limits(task),
        calls=calls_known(task),
        source=Source(text=file.read_text("utf-8-sig")).hash if file else "",
        packages=_packages(ref),
    )


def _scores(task: Task) -> Iterator[ScoreName]:
    """The scores of a sample, named as inspect_ai names them."""
    taken: list[str] = []
    for scorer in task.scorer or []:
        base = name = _scorer_name(scorer)
        count = 1
        while name in taken:
            name, count = f"{base}{count}", count + 1
        taken.append(name)
        keys = _keys(registry_info(scorer).metadata.get("metrics"))
        yield from [ScoreName(name, key) for key in keys] or [ScoreName(name)]


def _scorer_name(scorer: Scorer) -> str:
    return registry_info(scorer).name.rpartition("/")[2]


def _keys(metrics: Any) -> list[str]:
    """The values of a scorer that has several, as its metrics name them; none of another one."""
    groups = metrics if isinstance(metrics, list | tuple) else [metrics]
    named = [key for group in groups if isinstance(group, Mapping) for key in group]
    return [str(key) for key in dict.fromkeys(named) if "*" not in str(key)]


def _metadata(task: Task) -> set[str]:
    """The columns that the items have."""
    found = {str(key) for sample in task.dataset for key in sample.metadata or {}}
    if any(sample.choices for sample in task.dataset):
        found.add(CHOICES)
    if any(images_in(sample) for sample in task.dataset):
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
