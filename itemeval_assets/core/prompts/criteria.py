"""Criteria of a rubric: what its front matter names, each with a score of its own.

The front matter of a rubric is YAML between two lines of `---` at its start, with the key
`criteria`: a list of names, or a mapping of names to scales. Judges are shown the text below it. A
rubric without this key is sent as it stands, whatever it begins with.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import yaml

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.text.scales import read_scale
from itemeval_assets.core.text.words import cut
from itemeval_assets.core.text.yaml.strict import StrictLoader, load_yaml, yaml_message

from .templates import Template

_FRONT = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?^)---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_UNCLOSED = re.compile(r"\A---[ \t]*\ncriteria[ \t]*:")
_KEY = re.compile(r"^criteria[ \t]*:", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
# What replies and figures have for something else.
_TAKEN = ("score", "scores", "reasoning", "total", "repeat")
_FEWEST, _MOST = 2, 20
_EXAMPLE = "criteria: {correct: [0, 6], clear: [0, 4]}"


class Criterion(NamedTuple):
    """One of the scores that a rubric asks for; `scale`: where the rubric says one."""

    name: str
    scale: tuple[float, float] | None = None


class _Parts(NamedTuple):
    criteria: tuple[Criterion, ...]
    body: str


def criteria_of(rubric: Template) -> tuple[Criterion, ...]:
    """The criteria that a rubric names, in its order; none of most. Raises TemplateError."""
    return _parts(rubric).criteria


def body_of(rubric: Template) -> Template:
    """What a judge is shown of a rubric. Its hash stays that of the file. Raises TemplateError."""
    criteria, body = _parts(rubric)
    return replace(rubric, text=body) if criteria else rubric


@cache
def _parts(rubric: Template) -> _Parts:
    front = _FRONT.match(rubric.text)
    try:
        if front is None or not _KEY.search(front["yaml"]):
            if front is None and _UNCLOSED.match(rubric.text):
                raise ValueError("no line --- ends its first lines; write one below the criteria")
            return _Parts((), rubric.text)
        return _Parts(_read(front["yaml"]), rubric.text[front.end() :].lstrip("\n"))
    except ValueError as error:
        raise TemplateError(f"template {rubric.name!r} ({rubric.path}): {error}") from None


def _read(text: str) -> tuple[Criterion, ...]:
    """The criteria of a front matter. Raises ValueError."""
    try:
        found = load_yaml(text, StrictLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"its first lines are no YAML: {yaml_message(error)}") from None
    if not isinstance(found, Mapping):
        raise ValueError(f"its first lines name no criteria; write {_EXAMPLE}")
    if others := [str(key) for key in found if key != "criteria"]:
        raise ValueError(f"{cut(others[0])!r} stands beside criteria; remove it, there is no other")
    named = found["criteria"]
    scales = named if isinstance(named, Mapping) else dict.fromkeys(_listed(named))
    criteria = tuple(Criterion(_name(name), _scale(name, one)) for name, one in scales.items())
    _require_different([one.name for one in criteria])
    return criteria


def _listed(named: Any) -> list[Any]:
    """The names of a list. Raises ValueError for what is none, and for one that stands twice."""
    if not isinstance(named, list):
        raise ValueError(f"criteria: found {cut(str(named))!r}; write {_EXAMPLE}")
    names = [_name(name) for name in named]
    _require_different(names)
    return names


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"criteria: {cut(str(name))!r} is no name; a letter comes first, then up to 39 "
            "letters, digits, - and _"
        )
    if name.lower() in _TAKEN:
        raise ValueError(f"criteria: {name!r} means something else here; take another name")
    return name


def _scale(name: object, scale: object) -> tuple[float, float] | None:
    try:
        read = read_scale(scale)
    except ValueError as error:
        raise ValueError(f"criteria.{name}: {error}") from None
    if read is None:
        return None
    low, high = read
    return float(low), float(high)


def _require_different(names: list[str]) -> None:
    folded = [re.sub("[-_]", "-", name.lower()) for name in names]
    twice = [name for name, fold in zip(names, folded, strict=True) if folded.count(fold) > 1]
    if twice:
        raise ValueError(f"criteria: {' and '.join(twice)} are the same name; keep one")
    if not _FEWEST <= len(names) <= _MOST:
        raise ValueError(
            f"criteria: name {_FEWEST} to {_MOST}; found {len(names)}. A rubric with one score "
            "needs no such lines"
        )
