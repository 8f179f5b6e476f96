"""Writes the YAML of a study for logs that nobody has declared one for: their task is not here."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.config.wording import FACET_NAME
from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.tasks.logs.without_code import LoggedTask, ref_of
from itemeval_assets.storage.objects.new_files import write_new

from .place import LogFolder, place_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

_HEAD = """\
# A study of logs of {task}, whose code is not here: no run asks these models.
# To have the answers graded, name a judge in facets.grader and a rubric in facets.rubric.
"""
_OF_SOLVERS = ("temperature", "top_p", "max_tokens", "seed")


def write_config(path: str, config: Path) -> None:
    """Write a study of the task that the logs at `path` are of: its models, settings and epochs.

    Raises ConfigError where the file is there already, and where the logs are of several tasks.
    """
    if config.exists():
        raise ConfigError(
            f"{config} is there already: --write-config writes a new file. Give another name, or "
            "leave the option out"
        )
    headers = LogFolder(*place_of(path, config)).headers.values()
    by_time = sorted(headers, key=lambda header: header.eval.created)
    task = _one_task(path, by_time)
    text = yaml.safe_dump(_document(task, by_time, config), sort_keys=False, allow_unicode=True)
    write_new({config: f"{_HEAD.format(task=task.word)}{text}".encode()})


def _one_task(path: str, logs: "Iterable[EvalLog]") -> TaskRef:
    """The task of all logs. Raises ConfigError where they are of several."""
    refs = [ref_of(log) for log in logs]
    counts = Counter(map(_words, refs))
    if len(counts) > 1:
        tasks = [f"{words} ({counted(count, 'log')})" for words, count in counts.items()]
        raise ConfigError(
            f"{path} holds logs of several tasks, or of one with several arguments: "
            f"{'; '.join(tasks)}. A study is of one: give a folder with its logs alone, or write "
            "the YAML yourself, with benchmark: {adapter: logs, task: NAME}. A name without a file "
            "takes logs of a task that has moved. Nothing was written"
        )
    return refs[0]


def _words(ref: TaskRef) -> str:
    return f"{ref.word} with {canonical_json(dict(ref.args))}" if ref.args else ref.word


def _document(ref: TaskRef, logs: "Iterable[EvalLog]", config: Path) -> dict[str, Any]:
    logs = [*logs]
    task = LoggedTask(ref).like_most(logs)
    own = [log for log in logs if task.why_another(log) is None]
    shared, configs = _settings([task.asked(log) for log in own])
    facets: dict[str, Any] = {"replications": max(log.eval.config.epochs or 1 for log in own)}
    if any(configs):
        facets["model_config"] = [_config(one) for one in configs]
    return {
        "study": _study_name(ref.short, config),
        "benchmark": {
            "adapter": "logs",
            "task": ref.word,
            **({"args": dict(ref.args)} if ref.args else {}),
        },
        "solvers": {"models": [*dict.fromkeys(log.eval.model for log in own)], **shared},
        "facets": facets,
        "budget": {"policy": "full-interactive"},
    }


def _settings(asked: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What all logs were asked with, and what tells them apart, each once.

    A design has one seed: logs with others stay out of the study.
    """
    first = asked[0]
    shared = {
        name: first[name]
        for name in _OF_SOLVERS
        if name in first and all(one.get(name) == first[name] for one in asked)
    }
    left = {*shared, "seed"}
    own = [{name: one[name] for name in one if name not in left} for one in asked]
    return shared, [*{canonical_json(one): one for one in own}.values()]


def _config(asked: dict[str, Any]) -> dict[str, Any]:
    name = "_".join(f"{key}-{value}" for key, value in sorted(asked.items()))
    return {"name": name if re.match(FACET_NAME, name) else "provider_default", **asked}


def _study_name(task: str, config: Path) -> str:
    """The task's name; that of the file, where there are results of a study of that name."""
    folder = config.parent / StudyConfig.model_fields["output_dir"].default
    name = _name_in(task)
    return _name_in(config.stem) if (folder / name).exists() else name


def _name_in(words: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "_", words.lower()).strip("_-")[:64] or "logs"
