"""The records that functions return, and those that these hold."""

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from types import ModuleType
from typing import Any, get_args, get_type_hints

__all__ = ["records_of"]

OURS = "itemeval_assets"


def records_of(functions: Iterable[Callable[..., Any]]) -> dict[str, type]:
    """Our records by name, in the order of the alphabet."""
    found: dict[str, type] = {}
    waiting = [_hints(inspect.unwrap(function)).get("return") for function in functions]
    while waiting:
        for kind in _classes(waiting.pop()):
            if _is_record(kind) and kind.__name__ not in found:
                found[kind.__name__] = kind
                waiting += _hints(kind).values()
    return dict(sorted(found.items()))


def _classes(annotation: Any) -> Iterator[type]:
    if inspect.isclass(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _classes(part)


def _is_record(kind: type) -> bool:
    return kind.__module__.startswith(OURS) and is_dataclass(kind)


def _hints(what: Any) -> dict[str, Any]:
    module = sys.modules[what.__module__]
    return get_type_hints(what, {**vars(module), **_names_for_types(module)})


def _names_for_types(module: ModuleType) -> dict[str, Any]:
    """What a module imports for its annotations alone, and so not when it runs."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                found |= _imported(line, module)
    return found


def _imported(line: ast.stmt, module: ModuleType) -> dict[str, Any]:
    match line:
        case ast.Import(names):
            return {one.asname or one.name: importlib.import_module(one.name) for one in names}
        case ast.ImportFrom(source, names, level):
            where = importlib.import_module("." * level + (source or ""), module.__package__)
            return {one.asname or one.name: getattr(where, one.name) for one in names}
    return {}
