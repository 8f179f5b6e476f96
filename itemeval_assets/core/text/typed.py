"""Records that are read back from JSON: what somebody has edited is told before it is used."""

import json
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

Kind = TypeVar("Kind")


def of_types(kind: type[Kind], record: Any) -> Kind:
    """Of a JSON object. Raises ValueError where a field is not of its declared type."""
    return TypeAdapter(kind).validate_json(json.dumps(record), strict=True)


def read_record(kind: type[Kind], record: Any) -> Kind:
    """A dataclass from its JSON object, whose fields are all of the declared types.

    Raises TypeError or ValueError for what is none, and for a field that there is not.
    """
    found = of_types(kind, record)
    if unknown := set(record) - {one.name for one in fields(kind)}:  # type: ignore[arg-type]
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return found
