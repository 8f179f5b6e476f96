"""Specs on their way to the workers: JSON lines, one spec each, every value exact."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from itemeval_assets.experiments.errors import SpecError, problems

from .index import index_of
from .models import ExperimentInputSpec, In


def encode_specs(specs: Iterable[ExperimentInputSpec]) -> bytes:
    """JSON lines, in order: NaN, infinities and large integers stay what they are.

    Raises SpecError, naming the class and the field, for a value that has no JSON form.
    """
    return b"".join(_line(spec) for spec in specs)


def decode_specs(data: bytes, input_type: type[In]) -> list[In]:
    """The specs that `encode_specs` wrote. Raises SpecError when they are not of the type."""
    specs: list[In] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            specs.append(parse_spec(line, input_type))
        except ValidationError as error:
            raise SpecError(
                f"line {number} is no {input_type.__name__}: {problems(error)}"
            ) from error
    return specs


def require_serialisable(specs: Sequence[ExperimentInputSpec]) -> None:
    """Raise SpecError for the first spec that cannot be sent, read back, or indexed."""
    for place, spec in enumerate(specs):
        try:
            line = _line(spec)
            returned = decode_specs(line, type(spec))[0]
            _require_same(spec, returned)
            index_of(returned)
        except SpecError as error:
            raise SpecError(f"spec {place}: {error}") from error
        except Exception as error:  # computed_features are the user's code
            raise SpecError(
                f"spec {place}: {type(spec).__name__}.computed_features raises "
                f"{type(error).__name__}: {error}"
            ) from error


def parse_spec(text: str | bytes, input_type: type[In]) -> In:
    """A spec from the JSON text of its fields. Raises pydantic's ValidationError."""
    # JSON has no dates, sets and tuples, which a strict spec would insist on.
    return input_type.model_validate_json(text, strict=False, by_alias=True, by_name=True)


def dump_spec(spec: ExperimentInputSpec) -> dict[str, Any]:
    """The fields of a spec in JSON form, by name. Raises SpecError naming class and field."""
    owner = type(spec).__name__
    try:
        values = spec.model_dump(mode="json", round_trip=True, by_alias=False, warnings=False)
    except (PydanticSerializationError, ValueError) as error:
        raise SpecError(_without_json_form(spec, str(error))) from error
    hidden = [name for name in type(spec).model_fields if name not in values]
    if hidden:
        raise SpecError(
            f"{owner}.{hidden[0]} is declared with `exclude`, so it would never reach the "
            "function; declare it without"
        )
    return values


def _line(spec: ExperimentInputSpec) -> bytes:
    values = dump_spec(spec)
    try:
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"
    except ValueError as error:  # half a character, or a number of thousands of digits
        raise SpecError(_without_json_form(spec, str(error))) from error


def _require_same(spec: ExperimentInputSpec, returned: ExperimentInputSpec) -> None:
    """Raise SpecError when a field has another value after the way to a worker and back."""
    before, after = dump_spec(spec), dump_spec(returned)
    for name, sent in before.items():
        value, received = getattr(spec, name), getattr(returned, name)
        # JSON texts, since NaN is not equal to itself; the values, since sets have no order.
        same_text = json.dumps(sent) == json.dumps(after.get(name))
        same = same_text and isinstance(value, type(received)) and not _is_rounded(value, received)
        if same or value == received:
            continue
        raise SpecError(
            f"{type(spec).__name__}.{name} would reach the function as {received!r}, not as "
            f"{value!r}: give it the type it is declared with, and write validators that "
            "leave a valid value as it is"
        )


def _is_rounded(value: Any, received: Any) -> bool:
    """Whether an instant or a duration has lost its nanoseconds, which are pandas' own."""
    return isinstance(value, datetime | timedelta) and value != received


def _without_json_form(spec: ExperimentInputSpec, problem: str) -> str:
    for name in type(spec).model_fields:
        try:
            values = spec.model_dump(mode="json", include={name}, warnings=False)
            json.dumps(values, ensure_ascii=False).encode()
        except (PydanticSerializationError, ValueError) as error:
            return (
                f"{type(spec).__name__}.{name} cannot be stored: {error}; give it plain numbers, "
                "text, dates, lists, dicts or models"
            )
    return f"{type(spec).__name__} cannot be stored: {problem}"
