"""docs/api.md: the public names of Python with signature and docstring."""

import importlib
import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Generic, get_args, get_origin

from .records import records_of

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
HEAD = """\
# Python API

`python -m scripts.reference` makes this page from signatures and docstrings. See also: a first
example in [Commands and Python API](commands.md), the formulas in [Measurement](measurement.md),
and how experiments are declared and read in [Experiments](experiments.md).
"""
MODULES = ("itemeval_assets", "itemeval_assets.measurement", "itemeval_assets.experiments")
RECORDS = """
## Records

What the functions of `itemeval_assets` return, and what that holds.
"""
# A signature that is longer has one parameter on each line.
WIDTH = 100


def page() -> str:
    """The page as it has to be."""
    modules = [importlib.import_module(name) for name in MODULES]
    return HEAD + "".join(map(_of_module, modules)) + _records(*modules[:2])


def _records(commands: ModuleType, measurement: ModuleType) -> str:
    """The records that the functions of the commands return, unless they stand elsewhere."""
    public = [getattr(commands, name) for name in commands.__all__]
    found = records_of(one for one in public if inspect.isfunction(one))
    own = {name: what for name, what in found.items() if name not in measurement.__all__}
    return RECORDS + "".join(_of_name(name, what) for name, what in own.items())


def _of_module(module: ModuleType) -> str:
    found = {name: getattr(module, name) for name in sorted(module.__all__)}
    parts = [_of_name(f"{module.__name__}.{name}", what) for name, what in found.items()]
    return f"\n## {module.__name__}\n\n{_text(module)}\n" + "".join(parts)


def _of_name(name: str, what: Any) -> str:
    code = _code(name.rpartition(".")[2], what)
    text = "" if get_origin(what) is Annotated else f"\n{_text(what)}\n"
    return f"\n### {name}\n\n```py\n{code}\n```\n{text}"


def _code(name: str, what: Any) -> str:
    if get_origin(what) is Annotated:
        return f"{name} = {_shown(get_args(what)[0])}"
    if not inspect.isclass(what):
        return _signature(what)
    own = [one for name, one in vars(what).items() if _is_public(name)]
    methods = [_signature(one, 4) for one in own if inspect.isfunction(one) and _is_ours(one)]
    parents = [base.__name__ for base in what.__bases__ if base not in (object, Generic)]
    shown = ", ".join(filter(_is_public, parents))
    title = f"class {name}({shown}):" if shown else f"class {name}:"
    members = _attributes(what) + methods
    return "\n".join([title, *members]) if members else f"{title} ..."


def _attributes(kind: type) -> list[str]:
    """The fields of a record, or of a model of pydantic."""
    model: Any = getattr(kind, "model_fields", {})
    found = {name: field.annotation for name, field in model.items()}
    if is_dataclass(kind):
        found = {field.name: field.type for field in fields(kind)}
    return [f"    {name}: {_shown(type_)}" for name, type_ in found.items() if _is_public(name)]


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _is_ours(function: Any) -> bool:
    return function.__module__.startswith(MODULES[0])


def _signature(function: Any, indent: int = 0) -> str:
    """The line of `def`, with the names of types as a reader imports them."""
    signature = inspect.signature(function)
    bare = [one.replace(annotation=_quiet(one.annotation)) for one in signature.parameters.values()]
    told = signature.replace(parameters=bare, return_annotation=_quiet(signature.return_annotation))
    space = " " * indent
    line = f"{space}def {function.__name__}{_shown(str(told))}"
    if len(line) <= WIDTH:
        return line
    parameters, _, end = line.partition("(")[2].rpartition(")")
    listed = re.split(r", (?=\*|[a-z_]+\b[:=,]|/)(?![^\[\(]*[\]\)])", parameters)
    inner = "".join(f"{space}    {one},\n" for one in listed)
    return f"{space}def {function.__name__}(\n{inner}{space}){end}"


def _quiet(annotation: Any) -> Any:
    """Strings are types that load late: they are shown without quotes."""
    return _Name(annotation) if isinstance(annotation, str) else annotation


class _Name:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _shown(annotation: Any) -> str:
    """A type without the modules that its names are from, with quotes as ruff writes them."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_0-9]+\.)+(?=[A-Za-z_])|~", "", text).replace("'", '"')


def _text(what: Any) -> str:
    return inspect.getdoc(what) or ""
