"""All keys of the YAML, for editors as a JSON Schema and for readers as rows of a table."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .study_config import StudyConfig

__all__ = ["Key", "all_keys", "study_schema"]

_TYPES = {"string": "text", "integer": "whole number", "boolean": "true, false", "null": "null"}
# A bound beyond it is that of the column in a table, and nobody comes near.
_LARGEST_SHOWN = 2**53
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}


@dataclass(frozen=True)
class Key:
    """One key of the YAML. `in_id`: another value makes a new condition of the same model."""

    path: str
    kind: str
    default: str
    bounds: str
    example: str
    meaning: str
    in_id: bool


def study_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file, by which editors complete and check it."""
    schema = StudyConfig.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_noise(schema),
        "title": "A study of itemeval_assets",
    }


def all_keys() -> list[Key]:
    """A row for each key, sections first, in the order of the file."""
    schema = StudyConfig.model_json_schema(by_alias=True)
    found: dict[str, Key] = {}
    for key in _keys_of(schema, schema["$defs"], ""):
        found[key.path] = _merged(found[key.path], key) if key.path in found else key
    return list(found.values())


def _merged(one: Key, other: Key) -> Key:
    """A key that several sections of one place have, such as types of scorers."""
    kinds = [*one.kind.split(", "), *other.kind.split(", ")]
    return replace(one, kind=", ".join(dict.fromkeys(kinds)))


def _keys_of(section: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[Key]:
    required = section.get("required", [])
    for name, field in section["properties"].items():
        where = f"{path}.{name}" if path else name
        sections, step = _sections_in(field, known)
        for inner in sections:
            yield from _keys_of(inner, known, where + step)
        if not sections:
            yield _key(where, field, name in required)


def _sections_in(field: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[list[Any], str]:
    """The sections that a key may hold, and how their keys are reached: of a list, or by names."""
    for place, step in ((field, ""), (field.get("items"), "[]"), (_values(field), ".<name>")):
        if isinstance(place, Mapping):
            options = [one["$ref"] for one in place.get("anyOf", [place]) if "$ref" in one]
            if options:
                return [known[option.rsplit("/", 1)[-1]] for option in options], step
    return [], ""


def _values(field: Mapping[str, Any]) -> Any:
    return field.get("additionalProperties")


def _key(path: str, field: Mapping[str, Any], is_required: bool) -> Key:
    options = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    examples = field.get("examples", [])
    return Key(
        path=path,
        kind=" or ".join(dict.fromkeys(map(_kind, options))),
        default="required" if is_required else _as_yaml(_default(field)),
        bounds=", ".join(
            words.format(f"{option[bound]:,.10g}")
            for option in options
            for bound, words in _BOUNDS.items()
            if bound in option and abs(option[bound]) < _LARGEST_SHOWN
        ),
        example=_as_yaml(examples[0] if examples else _default(field)),
        meaning=field.get("description", ""),
        in_id=bool(field.get("identity")),
    )


def _default(field: Mapping[str, Any]) -> Any:
    """pydantic tells nothing of a default that is made anew: an empty list or mapping."""
    return field.get("default", {"array": [], "object": {}}.get(field.get("type", "")))


def _kind(option: Mapping[str, Any]) -> str:
    if "anyOf" in option:
        return " or ".join(map(_kind, option["anyOf"]))
    if "enum" in option or "const" in option:
        return ", ".join(map(str, option.get("enum", [option.get("const")])))
    kind = option.get("type", "")
    if kind == "array":
        return f"list of {_kind(option['items'])}" if "items" in option else "two numbers"
    if kind == "object":
        values = _values(option)
        return f"{_kind(values)} by name" if isinstance(values, Mapping) else "keys with values"
    return str(_TYPES.get(kind, kind))


def _as_yaml(value: Any) -> str:
    """A value as YAML reads it, in one line."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value)


def _without_noise(schema: Any) -> Any:
    """Without what no editor shows: the titles that pydantic makes of names, and marks of ours."""
    if isinstance(schema, list):
        return [_without_noise(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_noise(one) for name, one in value.items()}
        if key in ("properties", "$defs")
        else _without_noise(value)
        for key, value in schema.items()
        if key not in ("title", "identity")
    }
