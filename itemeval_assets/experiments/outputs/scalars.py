"""The scalar fields of an output in JSON form."""

from functools import cache
from typing import Any

from pydantic import PlainSerializer, WrapSerializer
from pydantic_core import PydanticSerializationError

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.spec.models import ExperimentOutputSpec, scalar_fields
from itemeval_assets.experiments.spec.values import (
    SCALARS,
    is_foreign,
    is_text,
    json_form,
    require_json,
)


def scalar_values(output: ExperimentOutputSpec) -> dict[str, Any]:
    """The scalar fields in JSON form, by name. Raises SpecError that names the field."""
    found: dict[str, Any] = {}
    for name in (*scalar_fields(type(output)), *(output.model_extra or {})):
        if not is_text(name):
            raise SpecError(f"{type(output).__name__}: the field {name!r} holds half a character")
        try:
            found[name] = _scalar(output, name)
            require_json(found[name])
        except (PydanticSerializationError, RecursionError, ValueError, SpecError) as error:
            raise SpecError(
                f"{type(output).__name__}.{name} cannot be stored: {error}; give it numbers, text, "
                "dates, lists, dicts or models; frames go into dataframes, files into a "
                "FileReference"
            ) from error
    return found


def _scalar(output: ExperimentOutputSpec, name: str) -> Any:
    value = getattr(output, name)
    if (is_foreign(value) or type(value) in SCALARS) and name not in _serialized(type(output)):
        return json_form(value)
    dumped = output.model_dump(mode="json", include={name}, by_alias=False, warnings=False)
    return dumped.get(name)


@cache
def _serialized(output_type: type[ExperimentOutputSpec]) -> frozenset[str]:
    """Fields with a serializer of their own."""
    decorated = output_type.__pydantic_decorators__.field_serializers.values()
    names = {name for serializer in decorated for name in serializer.info.fields}
    return frozenset(
        name
        for name in scalar_fields(output_type)
        if {name, "*"} & names
        or any(
            isinstance(item, PlainSerializer | WrapSerializer)
            for item in getattr(output_type.model_fields.get(name), "metadata", ())
        )
    )
