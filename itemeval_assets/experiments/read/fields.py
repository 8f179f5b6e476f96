"""Fields of an experiment in few words, from its JSON Schema: type, bounds, and description."""

from collections.abc import Mapping
from typing import Any

_BOUNDS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}


def fields(io_spec: Mapping[str, Any], side: str) -> dict[str, str]:
    """{field: type and description} of the `input` or `output` of an io spec."""
    descriptions = described(io_spec, side)
    return {
        name: f"{kind}: {descriptions[name]}" if name in descriptions else kind
        for name, kind in types(io_spec, side).items()
    }


def types(io_spec: Mapping[str, Any], side: str) -> dict[str, str]:
    """{field: type with its bounds}."""
    return {name: _type(found) for name, found in _properties(io_spec, side).items()}


def described(io_spec: Mapping[str, Any], side: str) -> dict[str, str]:
    """{field: description}, which says the unit; of the fields that have one."""
    found = {name: part.get("description") for name, part in _properties(io_spec, side).items()}
    return {name: text for name, text in found.items() if text}


def _properties(io_spec: Mapping[str, Any], side: str) -> dict[str, Any]:
    part = io_spec.get("properties", {}).get(side, {})
    reference = part.get("$ref")
    if reference is not None:
        part = io_spec.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return part.get("properties", {})


def _type(found: Mapping[str, Any]) -> str:
    if "$ref" in found:
        return found["$ref"].rpartition("/")[2]
    if "anyOf" in found:
        return " | ".join(dict.fromkeys(_type(part) for part in found["anyOf"]))
    kind = str(found.get("format") or found.get("type", "any"))
    if isinstance(found.get("items"), Mapping):
        kind = f"{kind} of {_type(found['items'])}"
    bounds = [f"{sign} {found[name]}" for name, sign in _BOUNDS.items() if name in found]
    return " ".join([kind, *bounds])
