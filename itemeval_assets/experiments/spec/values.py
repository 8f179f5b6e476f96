"""Values of numpy, pandas and Python as plain ones: scalars, lists, dicts with texts for keys."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pydantic_core import to_jsonable_python

from itemeval_assets.experiments.errors import SpecError

SCALARS = (bool, int, float, str)
"""Types that are plain, and have a JSON form, as they are."""
_MISSING = (pd.NaT, pd.NA)


def plain(value: Any, leaf: Callable[[Any], Any] = lambda value: value) -> Any:
    """A value without numpy: arrays, tuples and sets as lists, missing values of pandas as None.

    A set is sorted, so that equal sets are equal lists. Of other values `leaf` makes what it
    likes. Raises SpecError for a dict with two keys of one text.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind not in "mMO":
        found = value.tolist()
    elif isinstance(value, np.ndarray | list | tuple):
        found = [plain(item, leaf) for item in value]
    elif isinstance(value, set | frozenset):
        found = sorted((plain(item, leaf) for item in value), key=_sort_key)
    elif isinstance(value, dict):
        found = {name: plain(item, leaf) for name, item in _with_texts(value).items()}
    elif isinstance(value, np.generic):
        found = plain(_of_numpy(value), leaf)
    elif value is None or any(value is missing for missing in _MISSING):
        found = None
    else:
        found = value if type(value) in SCALARS else leaf(value)
    return found


def is_foreign(value: Any) -> bool:
    """Whether a value is, or holds, what pydantic knows nothing of, or writes in no set order."""
    if isinstance(value, list | tuple):
        return any(map(is_foreign, value))
    if isinstance(value, dict):
        return any(type(name) is not str for name in value) or any(map(is_foreign, value.values()))
    foreign = (np.ndarray, np.generic, pd.Timestamp, pd.Timedelta, set, frozenset)
    return isinstance(value, foreign) or any(value is missing for missing in _MISSING)


def is_text(text: str) -> bool:
    """Whether this is Unicode text: half a character, a lone surrogate, is none of Arrow."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_form(value: Any) -> Any:
    """A value as JSON has it. Raises ValueError, or what pydantic raises, where there is none.

    Instants and durations are ISO text, to the nanosecond where pandas has these.
    """
    return plain(value, _json_leaf)


def require_json(value: Any) -> None:
    """Raise ValueError or RecursionError for a JSON form that cannot be written: a number of
    thousands of digits, lists in lists in lists ..."""
    if type(value) in (int, list, dict):
        json.dumps(value)


def _json_leaf(value: Any) -> Any:
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return value.isoformat()
    return to_jsonable_python(value)


def _of_numpy(value: np.generic) -> Any:
    try:
        if isinstance(value, np.datetime64):
            return pd.Timestamp(value)
        if isinstance(value, np.timedelta64):
            return pd.Timedelta(value)
    except ValueError:  # beyond what pandas holds
        return str(value)
    item = value.item()
    # A long double is its own item.
    return float(item) if isinstance(item, np.floating) else item


def _with_texts(value: dict[Any, Any]) -> dict[str, Any]:
    if all(type(name) is str for name in value):
        return value
    texts = [next(iter(to_jsonable_python({_key(name): None}))) for name in value]
    if len(set(texts)) < len(texts):
        raise SpecError(
            f"two keys of a dict become the same text: {list(value)!r:.80}; give them other keys"
        )
    return dict(zip(texts, value.values(), strict=True))


def _key(name: Any) -> Any:
    return _of_numpy(name) if isinstance(name, np.generic) else name


def _sort_key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value if type(value) in SCALARS else repr(value)
