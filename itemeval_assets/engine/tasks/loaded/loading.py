"""From the name of a task to the task. Runs the code of others, in this process."""

import ast
import inspect
import os
import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai._eval.loader import create_file_tasks, load_file_tasks
from inspect_ai._util.decorator import parse_decorators
from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import RegistryInfo, registry_find, registry_lookup
from inspect_ai.util import registry_create, registry_info

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.core.text.words import cut
from itemeval_assets.engine.advice import advised, one_line
from itemeval_assets.engine.scorers.results import message_of
from itemeval_assets.host.bytecode import leave_clean
from itemeval_assets.host.exits import no_process_exit
from itemeval_assets.host.standard_output import output_to_stderr

from .solvers import OF_CHOICES, solver_names
from .tools import require_described
from .uncalled import require_called

_WHERE = "benchmark.task"
_LONGEST = 1_000
# inspect_ai marks what a task function returns, and fails at what cannot be marked.
_UNMARKED = re.compile("'(.+)' object has no attribute '__registry_info__'")


def load_task(ref: TaskRef, file: Path | None) -> Task:
    """A new task, its samples numbered where they have no ids. `file`: where its code lies.

    Raises ConfigError, which names file and line.
    """
    try:
        # Standard output is for results.
        with output_to_stderr(), no_process_exit():
            task = _of_package(ref) if file is None else _of_file(ref, file)
    except (ConfigError, KeyboardInterrupt):
        raise
    except PrerequisiteError as error:
        raise ConfigError(f"{_WHERE}: {ref.word!r}: {advised(one_line(error))}") from None
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise ConfigError(f"{_WHERE}: {ref.word!r}: {place}: {error.msg}") from None
    except BaseException as error:  # whatever the code of others does, exit too
        if unmarked := _UNMARKED.match(str(error)):
            raise _no_task(ref, unmarked[1]) from None
        raise ConfigError(
            f"{_WHERE}: {ref.word!r} cannot be loaded: {_said(error, file)}"
        ) from None
    _require_samples(ref, task)
    require_called(task, ref.word)
    require_described(task, ref.word)
    for number, sample in enumerate(task.dataset, 1):
        sample.id = number if sample.id is None else sample.id
    _require_choices(ref, task)
    return task


def _said(error: BaseException, file: Path | None) -> str:
    """An error in one line, with its place in the file and what was behind it, without keys."""
    said, behind = message_of(error, str(file or "")), error
    while behind.__cause__ is not None:
        behind = behind.__cause__
    if behind is not error:
        said = f"{said}; behind it is {type(behind).__name__}: {behind}"
    return without_secrets(cut(" ".join(said.split()), _LONGEST), os.environ)


def _of_package(ref: TaskRef) -> Task:
    found: Any = registry_lookup("task", ref.word)
    if found is None:
        raise ConfigError(f"{_WHERE}: {_why_unknown(ref.word)}")
    _require_arguments(ref, found)
    return registry_create("task", ref.word, **ref.args)  # type: ignore[arg-type]


def _why_unknown(word: str) -> str:
    package = word.partition("/")[0]
    if package not in {entry.name for entry in entry_points(group="inspect_ai")}:
        return (
            f"no installed package registers {package!r} with inspect_ai; install it, or name a "
            "file beside the config, such as tasks.py@my_task"
        )
    names = (registry_info(one).name for one in registry_find(_is_task))
    known = sorted(name for name in names if name.startswith(f"{package}/"))
    return f"{package} has no task {word!r}; {did_you_mean(word, known)}"


def _is_task(found: RegistryInfo) -> bool:
    return found.type == "task"


def _of_file(ref: TaskRef, file: Path) -> Task:
    leave_clean(file.parent)
    name = ref.name or _only_name(ref, file)
    _require_name(ref, file, name)
    # Another file may have a task of this name: the one that was loaded last is made.
    load_file_tasks(file)
    _require_arguments(ref, registry_lookup("task", name))
    [task] = create_file_tasks(file, [name], dict(ref.args))
    return task


def _only_name(ref: TaskRef, file: Path) -> str:
    names = _names(file)
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError(f"{_WHERE}: {file} has no function with the decorator @task")
    raise ConfigError(
        f"{_WHERE}: {file} has {len(names)} tasks; name one of them: "
        f"{', '.join(f'{ref.file}@{name}' for name in names)}"
    )


def _require_name(ref: TaskRef, file: Path, name: str) -> None:
    names = _names(file)
    if name not in names and name in _functions(file):
        raise ConfigError(
            f"{_WHERE}: the function {name!r} of {file} is no task; put @task above it "
            "(from inspect_ai import task)"
        )
    if name not in names:
        raise ConfigError(f"{_WHERE}: {file} has no task {name!r}; {did_you_mean(name, names)}")


def _names(file: Path) -> list[str]:
    if not file.is_file():
        near = did_you_mean(file.name, sorted(one.name for one in file.parent.glob("*.py")))
        raise ConfigError(
            f"{_WHERE}: there is no file {file}; the path is relative to the config; {near}"
        )
    _parsed(file)
    return [name for name, _ in parse_decorators(file, "task")]


def _functions(file: Path) -> list[str]:
    return [one.name for one in _parsed(file).body if isinstance(one, ast.FunctionDef)]


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8-sig"), str(file))


def _require_arguments(ref: TaskRef, made_by: Any) -> None:
    """Raise ConfigError for arguments that a task does not take, or lacks."""
    taken: Mapping[str, inspect.Parameter] = inspect.signature(made_by).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
    for name in ref.args:
        if name not in taken and not takes_any:
            hint = did_you_mean(name, list(taken)) if taken else "it takes none"
            raise ConfigError(f"benchmark.args.{name}: {ref.word!r} takes no such argument; {hint}")
    for name, one in taken.items():
        is_needed = one.default is inspect.Parameter.empty and one.kind not in (
            inspect.Parameter.VAR_KEYWORD,
            inspect.Parameter.VAR_POSITIONAL,
        )
        if is_needed and name not in ref.args:
            raise ConfigError(f"benchmark.args.{name}: missing; {ref.word!r} has no default for it")


def _require_samples(ref: TaskRef, task: Any) -> None:
    if not isinstance(task, Task):
        raise _no_task(ref, type(task).__name__)
    if getattr(task, "sample_source", None) is not None:
        raise ConfigError(
            f"{_WHERE}: {ref.word!r} makes its samples while it runs, and so nobody can say what "
            "its items are. Give it a dataset"
        )
    if not len(task.dataset):
        raise ConfigError(f"{_WHERE}: the dataset of {ref.word!r} has no samples")


def _no_task(ref: TaskRef, kind: str) -> ConfigError:
    said = "nothing" if kind == "NoneType" else f"a {kind}"
    return ConfigError(f"{_WHERE}: {ref.word!r} returns {said}; its function must return a Task")


def _require_choices(ref: TaskRef, task: Task) -> None:
    """A solver of choices fails on each sample without: that is told before it is paid for."""
    if OF_CHOICES not in solver_names(task):
        return
    for sample in task.dataset:
        if not sample.choices:
            raise ConfigError(
                f"{_WHERE}: {ref.word!r} answers by multiple_choice, and its sample {sample.id!r} "
                "has no choices"
            )
