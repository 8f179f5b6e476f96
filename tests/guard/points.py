"""Points: what the definitions offer, one by one, and what of it a case exercises.

A point is a text: `cli run --policy=dev`, `yaml solvers.on_empty=skip`, `config solutions.force`,
`tag itemeval_assets/consent_usd`, `setting ITEMEVAL_ASSETS_OWNERS`,
`component StudyComponent.study`.
Both sides are worked out: those that there are from typer, pydantic and Dagster, those that a case
exercises from the arguments, documents and variables that it is run with.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import product
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import dagster as dg
import typer
from pydantic import BaseModel
from pydantic_settings import BaseSettings

import itemeval_assets
from itemeval_assets.cli.main import app
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming import names
from itemeval_assets.defs.build import study_definitions
from itemeval_assets.runs.launching import launcher
from itemeval_assets.settings import Settings

__all__ = [
    "of_arguments",
    "of_attributes",
    "of_commands",
    "of_components",
    "of_document",
    "of_environment",
    "of_launch",
    "of_run_config",
    "of_settings",
    "of_study_keys",
    "of_tags",
]

Points = set[str]


def of_commands() -> Points:
    """Every command, with each of its arguments and options, and each word one may have."""
    commands = [*_commands(typer.main.get_command(app), ())]
    return {f"cli {' '.join(path)}" for path, _ in commands} | {
        point
        for path, command in commands
        for parameter in command.params
        for point in _with_words(
            f"cli {' '.join(path)} {_shown(parameter)}", words(_annotation(parameter))
        )
    }


def of_arguments(arguments: Iterable[str]) -> Points:
    """What a command line exercises, as typer parses it."""
    rest, path = [*arguments], []
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        path.append(rest.pop(0))
        command = command.commands[path[-1]]
    context = command.make_context(path[-1], rest)
    found: Points = {f"cli {' '.join(path)}"}
    for parameter in command.params:
        if str(context.get_parameter_source(parameter.name)).endswith("COMMANDLINE"):
            name = f"cli {' '.join(path)} {_shown(parameter)}"
            value = context.params[parameter.name]
            found |= {name}
            if words(_annotation(parameter)):
                values = value if isinstance(value, list | tuple) else [value]
                found |= {f"{name}={one}" for one in values}
    return found


def of_study_keys() -> Points:
    """Every key of the YAML, and each word one may have."""
    return {f"yaml {point}" for point in _keys(StudyConfig, "")}


def of_document(document: Mapping[str, Any]) -> Points:
    """The keys and words that a study's YAML uses."""
    return {f"yaml {point}" for point in _used(StudyConfig, document, "")}


def of_run_config(study: Study) -> Points:
    """Every field of the run config of a study's assets and of our resources, and each word."""
    found: Points = set()
    for asset in study_definitions(study, Settings()).assets or []:
        assert isinstance(asset, dg.AssetsDefinition)
        schema: Any = asset.op.config_schema.as_field()
        for name, field in getattr(schema.config_type, "fields", {}).items():
            kind = getattr(field.config_type, "inner_type", field.config_type)
            values = [value.config_value for value in getattr(kind, "enum_values", [])]
            step = asset.op.name.partition("__")[2]
            found |= _with_words(f"config {step}.{name}", values)
    for resource in _ours(dg.ConfigurableResource):
        found |= {f"config {resource.__name__}.{name}" for name in resource.model_fields}
    return found


def of_launch(step: str, config: Mapping[str, Any]) -> Points:
    """The fields, and words, of a step's or a resource's config."""
    return {
        point
        for name, value in config.items()
        for point in (f"config {step}.{name}", f"config {step}.{name}={value}")
    }


def of_settings() -> Points:
    """Every variable of the environment that is a setting, and each word one may have."""
    return {
        point
        for kind in _ours(BaseSettings)
        for name, field in kind.model_fields.items()
        for point in _with_words(
            f"setting {kind.model_config.get('env_prefix', '')}{name.upper()}",
            words(field.annotation),
        )
    }


def of_environment(variables: Mapping[str, str]) -> Points:
    return {
        point
        for name, value in variables.items()
        for point in (f"setting {name}", f"setting {name}={value}")
    }


def of_components() -> Points:
    """Every attribute of our components for `dg`."""
    return {
        f"component {kind.__name__}.{name}"
        for kind in _ours(dg.Component)
        for name in getattr(kind, "model_fields", {})
    }


def of_attributes(component: str, attributes: Mapping[str, Any]) -> Points:
    return {f"component {component}.{name}" for name in attributes}


def of_tags() -> Points:
    """Every run tag that we read or write."""
    return {
        f"tag {value}"
        for module in (names, launcher)
        for name, value in vars(module).items()
        if name.endswith("_TAG") and isinstance(value, str)
    }


def words(annotation: Any) -> list[str]:
    """The words that a type allows; none where it allows more than words."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    if get_origin(annotation) is Literal:
        return [*get_args(annotation)]
    if get_origin(annotation) in (Union, UnionType, Annotated, list, tuple):
        return [word for part in get_args(annotation) for word in words(part)]
    return []


def _with_words(name: str, values: Iterable[str]) -> Points:
    return {name, *(f"{name}={value}" for value in values)}


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def _annotation(parameter: Any) -> Any:
    return parameter.type_descriptor.annotation


def _shown(parameter: Any) -> str:
    """An option by its long name, an argument in capitals."""
    longest = max(parameter.opts, key=len)
    return longest if longest.startswith("-") else longest.upper()


def _sections(annotation: Any) -> tuple[list[type[BaseModel]], str]:
    """The sections that a field may hold, and how many: "" one, [] a list, {} by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation], ""
    origin = get_origin(annotation)
    parts = [_sections(part) for part in get_args(annotation)]
    sections = [section for found, _ in parts for section in found]
    many = next((many for found, many in parts if found), "")
    if sections and origin in (list, dict):
        return sections, "[]" if origin is list else "{}"
    return sections, many


def _keys(section: type[BaseModel], prefix: str) -> Points:
    found: Points = set()
    for name, field in section.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        sections, many = _sections(field.annotation)
        if not sections:
            found |= _with_words(path, words(field.annotation))
        for inner in sections:
            found |= _keys(inner, f"{path}{many}.")
    return found


def _used(section: type[BaseModel], document: Mapping[str, Any], prefix: str) -> Points:
    found: Points = set()
    for name, field in section.model_fields.items():
        key = field.alias or name
        if key not in document:
            continue
        value, path = document[key], f"{prefix}{key}"
        sections, many = _sections(field.annotation)
        if not sections:
            values = value if isinstance(value, list) else [value]
            found |= {path, *(f"{path}={one}" for one in values)}
        else:
            parts = value if many == "[]" else value.values() if many == "{}" else [value]
            for part, inner in product(parts, sections):
                found |= _used(inner, part, f"{path}{many}.")
    return found


def _ours(base: type) -> Iterator[Any]:
    """All classes of the package below this one; the modules that define them are loaded first."""
    for module in pkgutil.walk_packages(itemeval_assets.__path__, "itemeval_assets."):
        if not module.name.endswith((".definitions", ".__main__")):
            importlib.import_module(module.name)
    waiting = [base]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("itemeval_assets."):
                yield kind
