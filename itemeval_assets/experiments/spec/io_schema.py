"""The interface of an experiment as one JSON Schema document."""

from typing import Any

from pydantic.json_schema import models_json_schema

from itemeval_assets.experiments.errors import SpecError

from .field_forms import NO_FORM, formless_field
from .models import ExperimentInputSpec, ExperimentOutputSpec


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
    except NO_FORM as error:
        problem = formless_field(input_type) or formless_field(output_type) or str(error)
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
