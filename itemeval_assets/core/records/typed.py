"""Records that are read back from JSON: what somebody has edited is told before it is used."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

Kind = TypeVar("Kind")


def read_record(kind: type[Kind], record: Mapping[str, Any]) -> Kind:
    """A dataclass from its JSON object, whose fields are all of the declared types.

    Raises TypeError or ValueError for what is none.
    """
    found = kind(**record)
    TypeAdapter(kind).validate_json(json.dumps(record), strict=True)
    return found
