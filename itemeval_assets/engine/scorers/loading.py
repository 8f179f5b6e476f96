"""From code of others to a function of (solution, target, metadata). Runs that code."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import (
    SCORERS_GROUP,
    Code,
    FunctionCode,
    InspectCode,
    PackagedCode,
    Program,
)
from itemeval_assets.host.bytecode import leave_clean

from .arguments import OF_A_FILE, ArgumentsError, require_arguments
from .results import message_of

# What decorators of inspect_ai leave on a function.
_MARK_OF_INSPECT = "__registry_info__"

Scoring = Callable[[str, str, dict[str, Any]], Any]


def load(program: Program) -> Scoring:
    """The function of a program. Raises ConfigError, which names file and line."""
    code, path = program.code, program.source.path
    try:
        if isinstance(code, InspectCode):
            from .of_inspect import inspect_scorer

            return inspect_scorer(code)
        if isinstance(code, PackagedCode):
            return _checked(_packaged(code), code, code.args)
        leave_clean(Path(path).parent)
        module = _of_file(code, program) if code.is_file else _imported(code, program)
        return _checked(_named(module, code, path), code)
    except ArgumentsError as error:
        raise ConfigError(f"{program.where}.args: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{program.place}: {error}") from None
    except BaseException as error:  # whatever an import does, exit too
        raise ConfigError(program.cannot_load(message_of(error, path))) from None


def _of_file(code: FunctionCode, program: Program) -> ModuleType:
    """The module of a file as it was read when the study was loaded."""
    path = Path(program.source.path)
    # Under no name that another module may have; it finds modules beside it.
    name = f"scorer_of_{path.stem}"
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    sys.path.insert(0, str(path.parent))
    exec(compile(program.source.text, str(path), "exec"), module.__dict__)
    return module


def _imported(code: FunctionCode, program: Program) -> ModuleType:
    path = program.source.path
    if Path(path).read_text("utf-8-sig") != program.source.text:
        raise ConfigError(
            f"{path} has changed since the study was loaded; run again, and it is another condition"
        )
    return import_module(code.place)


def _named(module: ModuleType, code: FunctionCode, path: str) -> Any:
    if not hasattr(module, code.function):
        raise ConfigError(f"{path} has no function {code.function!r}")
    return getattr(module, code.function)


def _packaged(code: PackagedCode) -> Any:
    return next(iter(entry_points(group=SCORERS_GROUP, name=code.name))).load()


def _checked(function: Any, code: Code, args: Mapping[str, Any] | None = None) -> Scoring:
    """The function with its arguments, if it can be called as scorers are."""
    args = args or {}
    what, where = code.said, _line_of(function)
    if not callable(function) or inspect.isclass(function):
        found = "class" if inspect.isclass(function) else type(function).__name__
        raise ConfigError(f"{what} is no function, but a {found}")
    if hasattr(function, _MARK_OF_INSPECT):
        raise ConfigError(f"{what} is made for inspect_ai, by a decorator; {OF_A_FILE}")
    if inspect.iscoroutinefunction(function):
        raise ConfigError(f"{what}{where} is an `async def`: write a plain `def`")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigError(f"{what}{where} has a `yield`: write `return`")
    require_arguments(function, what, args, given=3)
    try:
        inspect.signature(function).bind("", "", {}, **args)
    except TypeError as error:
        names = "".join(f", {name}=..." for name in args)
        raise ConfigError(
            f"{what}{where} is called as (solution, target, metadata{names}): {error}"
        ) from None
    except ValueError:  # one that Python knows no signature of
        pass
    return partial(function, **args)


def _line_of(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f" ({code.co_filename}, line {code.co_firstlineno})" if code else ""
