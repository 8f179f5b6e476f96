"""The index of a spec: which of its values identify the rows it leads to, and in which order.

Levels, in order: the four of every spec, its own fields as declared, fields beyond the declared
ones, computed features, additional index data, and `sort_subindex` where a frame has several
rows for a spec. Values are scalars in their JSON form (a datetime is its ISO text). Files,
lists, dicts, tuples, sets and nested models are left out.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_origin

import pandas as pd
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError
from typing_extensions import is_typeddict

from itemeval_assets.experiments.errors import SpecError

from .files import is_file_reference, leaves, whole_annotation
from .values import is_text, json_form, require_json

Scalar = str | bool | int | float | None
BASE_LEVELS = ("experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id")
SUBINDEX = "sort_subindex"
# The level that an index without a name becomes, as pandas names it.
UNNAMED = "index"


class Indexed(BaseModel):
    """What an index is made of: the fields of a spec, and scalars derived from them."""

    @property
    def computed_features(self) -> Mapping[str, Any]:
        """Scalars derived from the fields, to be levels of the index. Override as needed."""
        return {}


def index_of(
    spec: Indexed,
    additional: Mapping[str, Any] | None = None,
    sort_subindex: int | None = None,
) -> dict[str, Scalar]:
    """The levels of a spec by name, in the order of the index.

    Raises SpecError when a computed feature or an additional level is no scalar, or has the
    name of a field or of a level before it.
    """
    levels = field_levels(spec)
    taken = {*type(spec).model_fields, *levels, SUBINDEX}
    owner = type(spec).__name__
    for kind, values in (
        ("computed feature", spec.computed_features),
        ("additional index level", additional or {}),
    ):
        for name, value in _mapping(values, f"{owner}: {kind}s").items():
            if not isinstance(name, str) or not name or not is_text(name):
                raise SpecError(f"{owner}: the {kind} {name!r} needs text as its name")
            if name in taken:
                raise SpecError(
                    f"{owner}: the {kind} {name!r} has the name of a field or of another level "
                    "of the index; give it another name"
                )
            taken.add(name)
            levels[name] = _scalar(value, f"{owner}: the {kind} {name!r}")
    return levels if sort_subindex is None else {**levels, SUBINDEX: sort_subindex}


def field_levels(spec: Indexed) -> dict[str, Scalar]:
    """The levels that are fields of a spec: declared ones, then those beyond."""
    names = {*level_fields(type(spec)), *(spec.model_extra or {})}
    dumped = spec.model_dump(mode="json", include=names, by_alias=False, warnings=False)
    return {name: value for name, value in dumped.items() if not isinstance(value, list | dict)}


@cache
def level_fields(model_type: type[BaseModel]) -> tuple[str, ...]:
    """Names of the declared fields that are levels by their type, in order."""
    return tuple(
        name
        for name, field in model_type.model_fields.items()
        if not any(_is_no_level(leaf) for leaf in leaves(whole_annotation(field)))
    )


def make_multiindex(
    spec: Indexed,
    additional_index_data: Mapping[str, Any] | list[dict[str, Any]] | None = None,
    n_rows: int = 1,
    include_sort_subindex: bool = True,
) -> pd.MultiIndex:
    """The index of `n_rows` rows of one spec; `sort_subindex` unless there is exactly one row.

    `additional_index_data` holds the same levels for all rows, or a dict for each row. Raises
    SpecError when it has another number of rows, or as `index_of` does.
    """
    if isinstance(additional_index_data, list) and len(additional_index_data) != n_rows:
        raise SpecError(
            f"{type(spec).__name__}: additional_index_data has {len(additional_index_data)} rows, "
            f"n_rows is {n_rows}; give one dict for each row, or one dict for all"
        )
    counted = include_sort_subindex and n_rows != 1
    rows = [
        index_of(
            spec,
            additional_index_data[row]
            if isinstance(additional_index_data, list)
            else additional_index_data,
            row if counted else None,
        )
        for row in range(n_rows)
    ]
    # The levels of no rows are those of a row.
    names = merged_order(rows or [index_of(spec, sort_subindex=0 if counted else None)])
    # As objects: pandas makes floats of integers beside None.
    arrays = [pd.Series([row.get(name) for row in rows], dtype=object) for name in names]
    arrays = [values if values.hasnans else values.infer_objects() for values in arrays]
    return pd.MultiIndex.from_arrays(arrays, names=names)


def merged_order(orders: Iterable[Iterable[str]]) -> list[str]:
    """One order of all names: each new name comes right after the one before it in its own order.

    SUBINDEX is not special: give it to every order, or to none.
    """
    following: dict[str | None, str | None] = {None: None}  # None: before the first, after the last
    for order in orders:
        last: str | None = None
        for name in order:
            if name not in following:
                following[name], following[last] = following[last], name
            last = name
    merged: list[str] = []
    name = following[None]
    while name is not None:
        merged.append(name)
        name = following[name]
    return merged


def _mapping(values: Any, what: str) -> Mapping[Any, Any]:
    if isinstance(values, Mapping):
        return values
    if callable(values):
        raise SpecError(f"{what} are a method; declare it with @property")
    raise SpecError(
        f"{what} are {_short(values)} of type {type(values).__name__}; give a dict of scalars by "
        "name, {} where there are none"
    )


def _is_no_level(leaf: Any) -> bool:
    if is_file_reference(leaf):
        return True
    kind = get_origin(leaf) or leaf
    if not isinstance(kind, type):
        return False
    return (
        (issubclass(kind, Iterable) and not issubclass(kind, str | bytes))
        or issubclass(kind, BaseModel)
        or dataclasses.is_dataclass(kind)
        or is_typeddict(kind)
    )


def _scalar(value: Any, what: str) -> Scalar:
    """A value in its JSON form. Raises SpecError when that is no scalar."""
    try:
        scalar = json_form(value)
        require_json(scalar)
    except (PydanticSerializationError, RecursionError, ValueError):
        scalar = [value]
    if isinstance(scalar, list | dict):
        raise SpecError(
            f"{what} is {_short(value)} of type {type(value).__name__}; a level of the index must "
            "be a scalar: text, a number, a boolean, a date or None"
        )
    return scalar


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # a number of thousands of digits
        return "a value"
    return text if len(text) <= 80 else text[:77] + "..."
