"""Reads the code of own scorers for its hash or its version. Imports and runs none of it."""

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import (
    SCORERS_GROUP,
    Code,
    FunctionCode,
    InspectCode,
    Source,
)
from itemeval_assets.core.grading.function_text import problem_with_function
from itemeval_assets.core.text.nearest import did_you_mean

from .unreadable import unreadable

_INSPECT = "inspect_ai"


def packaged_types() -> list[str]:
    """The types of scorers that installed packages offer."""
    return sorted({found.name for found in entry_points(group=SCORERS_GROUP)})


def read_sources(config: StudyConfig, base: Path) -> dict[str, Source]:
    """What there is to read of the code of each scorer in use.

    `base`: the folder of the YAML. Raises ConfigError with all that is wrong.
    """
    found, problems = {}, []
    for name in config.scorers_in_use:
        entry = config.scorers.get(name)
        if entry is None or entry.code is None:
            continue
        try:
            found[name] = _source(entry.code, base)
        except ConfigError as error:
            key = "function" if isinstance(entry.code, FunctionCode) else "type"
            problems.append(f"scorers.{name}.{key}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _source(code: Code, base: Path) -> Source:
    if isinstance(code, FunctionCode):
        path = _file(code.place, base) if code.is_file else module_file(code.place)
        text = _text(path)
        if problem := problem_with_function(text, str(path), code.function):
            raise ConfigError(problem)
        return Source(path=str(path), text=text)
    if isinstance(code, InspectCode):
        return Source(version=_inspect_version(code.scorer))
    offers = sorted(
        {_version_of(entry) for entry in entry_points(group=SCORERS_GROUP, name=code.name)}
    )
    if len(offers) > 1:
        raise ConfigError(f"several packages offer {code.name!r}: {', '.join(offers)}; keep one")
    return Source(version=offers[0])


def _file(place: str, base: Path) -> Path:
    path = (base / Path(place).expanduser()).resolve()
    if not path.is_file():
        near = did_you_mean(path.name, sorted(one.name for one in path.parent.glob("*.py")))
        raise ConfigError(f"there is no file {path}; the path is relative to the config; {near}")
    return path


def module_file(name: str) -> Path:
    """The file of a module. Its packages are looked up, and not imported. Raises ConfigError."""
    places, path = None, None
    for part in _parents(name):
        spec = _spec(part, places)
        if spec is None:
            raise ConfigError(
                f"no module {part!r} can be imported; install it in {sys.prefix}, or name a file "
                "beside the config, such as my_scorers.py:score"
            )
        places, path = spec.submodule_search_locations, spec.origin
    if path is None or not path.endswith(".py"):
        raise ConfigError(f"the module {name!r} has no source in Python that could be read")
    return Path(path)


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _spec(name: str, places: list[str] | None) -> ModuleSpec | None:
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    found = (finder.find_spec(name, places) for finder in finders)
    return next(filter(None, found), None)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unreadable(path, error)) from error


def _inspect_version(scorer: str) -> str:
    """The version of inspect_ai, and of the package that registers the scorer there."""
    package, _, name = scorer.rpartition("/")
    registering = entry_points(group=_INSPECT, name=package) if name and package else ()
    own = [_version_of(entry) for entry in registering]
    return ", ".join([f"{_INSPECT} {version(_INSPECT)}", *own])


def _version_of(entry: EntryPoint) -> str:
    """`<distribution> <version>` of what offers an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
