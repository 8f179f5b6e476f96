"""Types of fields that have no JSON form, and what to declare in their place."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic_core import PydanticUndefined

from .files import leaves, whole_annotation

NO_FORM = (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError)
"""What pydantic raises for a type that has no JSON form, or that it does not know."""

_INSTEAD: tuple[tuple[tuple[type, ...], str], ...] = (
    ((pd.Timestamp, np.datetime64), "datetime.datetime"),
    ((pd.Timedelta, np.timedelta64), "datetime.timedelta"),  # before integers: numpy's is one
    ((np.bool_,), "bool"),
    ((np.integer,), "int"),
    ((np.floating,), "float"),
    ((np.str_,), "str"),
    ((np.ndarray, pd.Series, pd.Index), "a list, such as list[float]"),
    (
        (pd.DataFrame,),
        "nothing: a frame of an output goes into `dataframes`, and one that a spec needs into a "
        "file, as a FileReference",
    ),
)
_USUAL = "text, numbers, dates, enums, lists, dicts, models or a FileReference"


def formless_field(model_type: type[BaseModel]) -> str | None:
    """The first field that has no JSON form, and what to declare instead; None if all have one."""
    for name, annotation in _annotations(model_type):
        try:
            _adapter(annotation).json_schema()
        except NO_FORM:
            found = next(_members(annotation), None)
            shown = getattr(annotation, "__name__", None) or repr(annotation)
            what, instead = found or (shown, _USUAL)
            return (
                f"{model_type.__name__}.{name} cannot be stored: {what} has no JSON form; "
                f"declare {instead}"
            )
    return None


def _annotations(model_type: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model_type.__pydantic_fields__.items():
        if name != "dataframes":
            yield name, whole_annotation(field)
    for name, computed in model_type.__pydantic_decorators__.computed_fields.items():
        declared = computed.info.return_type
        if declared is PydanticUndefined:
            getter = getattr(computed.info.wrapped_property, "fget", None)
            declared = get_type_hints(getter).get("return", Any) if getter else Any
        yield name, declared


def _members(annotation: Any) -> Iterator[tuple[str, str]]:
    """Types of numpy and pandas in an annotation, and what to declare in their place."""
    for leaf in leaves(annotation):
        if isinstance(leaf, type):
            for kinds, instead in _INSTEAD:
                if issubclass(leaf, kinds):
                    yield f"{leaf.__module__}.{leaf.__qualname__}", instead
        for inner in get_args(leaf):
            yield from _members(inner)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError as error:
        if error.code == "type-adapter-config-unused":
            return TypeAdapter(annotation)
        raise
