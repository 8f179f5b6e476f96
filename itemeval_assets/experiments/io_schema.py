"""The interface of an experiment as one JSON Schema document."""

from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic.json_schema import models_json_schema

from .errors import SpecError
from .files import whole_annotation
from .spec import ExperimentInputSpec, ExperimentOutputSpec

__all__ = ["io_schema"]

_NO_SCHEMA = (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError)


def io_schema(
    input_type: type[ExperimentInputSpec], output_type: type[ExperimentOutputSpec]
) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of {"input": ..., "output": ...}.

    Raises SpecError, naming the class and the field, for a field that has no JSON form.
    """
    try:
        refs, definitions = models_json_schema(
            [(input_type, "validation"), (output_type, "serialization")],
        )
    except _NO_SCHEMA as error:
        problem = _first_problem(input_type) or _first_problem(output_type) or str(error)
        raise SpecError(problem) from error
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Experiment input and output",
        "type": "object",
        "properties": {
            "input": refs[(input_type, "validation")],
            "output": refs[(output_type, "serialization")],
        },
        "required": ["input", "output"],
        **definitions,
    }


def _first_problem(
    model_type: type[ExperimentInputSpec] | type[ExperimentOutputSpec],
) -> str | None:
    for name, field in model_type.model_fields.items():
        if name == "dataframes":
            continue
        try:
            _adapter(whole_annotation(field)).json_schema()
        except _NO_SCHEMA:
            return (
                f"{model_type.__name__}.{name} cannot be stored: {field.annotation} has no JSON "
                "form; use text, numbers, dates, enums, lists, dicts, models or a FileReference"
            )
    return None


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError as error:
        if error.code == "type-adapter-config-unused":
            return TypeAdapter(annotation)
        raise
