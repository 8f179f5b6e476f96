"""What loading a task tells: its scores, samples, limits and versions."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.scorer import Scorer
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

_ACCURACY = "inspect_ai/accuracy"
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
    taken: list[str] = []
    for scorer in task.scorer or []:
        base = name = _scorer_name(scorer)
        count = 1
        while name in taken:
            name, count = f"{base}{count}", count + 1
        taken.append(name)
        metrics = registry_info(scorer).metadata.get("metrics")
        named = _keys(metrics)
        keys = {key: of for key, of in named.items() if "*" not in key}
        if named and not keys:
            continue  # its values are known once it has scored a sample
        yield from [ScoreName(name, key, _is_share(of)) for key, of in keys.items()] or [
            ScoreName(name, is_share=_is_share(metrics))
        ]


def _scorer_name(scorer: Scorer) -> str:
    return registry_info(scorer).name.rpartition("/")[2]


def _keys(metrics: Any) -> dict[str, Any]:
    """{value: its metrics} of a scorer that has several values; none of another one."""
    groups = metrics if isinstance(metrics, list | tuple) else [metrics]
    named = {key: of for group in groups if isinstance(group, Mapping) for key, of in group.items()}
    return {str(key): of for key, of in named.items()}


def _is_share(metrics: Any) -> bool:
    """Whether metrics hold inspect_ai's accuracy, which is one of values from 0 to 1."""
    found = metrics if isinstance(metrics, list | tuple) else [metrics]
    return any(_is_registered(one) and registry_info(one).name == _ACCURACY for one in found)


def _is_registered(one: Any) -> bool:
    """Whether something is registered with inspect_ai, as metrics are."""
    try:
        registry_info(one)
    except (ValueError, AttributeError):
        return False
    return True


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
