"""JSON of others as plain data."""

import json
import sys
from collections.abc import Callable
from typing import Any

Pairs = list[tuple[str, Any]]


def load_json(text: str | bytes, object_of: Callable[[Pairs], Any] | None = None) -> Any:
    """The value of a JSON text, its objects as `object_of` makes them of their pairs.

    Raises ValueError, and what `object_of` raises.
    """
    try:
        return json.loads(text, object_pairs_hook=object_of)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    except ValueError as error:
        # Python's own words name a setting of Python.
        if "int_max_str_digits" in str(error):
            raise ValueError(
                f"an integer has more than {sys.get_int_max_str_digits():,} digits; put quotes "
                "around it"
            ) from error
        raise


def unique_keys(pairs: Pairs) -> dict[str, Any]:
    """An object. Raises ValueError for a key that occurs twice, of which JSON keeps the last."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands twice")
        found[key] = value
    return found
