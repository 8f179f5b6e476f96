"""json: a value of the JSON in the answer is compared with the target."""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from pydantic import Field, field_validator

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.json_objects import find_object
from itemeval_assets.core.grading.scorers.exact_match import EXACT_MATCH, TEXTS, exact_match
from itemeval_assets.core.grading.scorers.numeric import NUMBERS, NUMERIC, numeric
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .section import RulesConfig

_NOWHERE = object()
_PLACE = re.compile(r"[0-9]{1,9}")
# As JSONPath and jq write it.
_QUERY = re.compile(r"^\$|\[.*\]")
_SCORERS = {"exact": EXACT_MATCH, "numeric": NUMERIC}


class JsonConfig(RulesConfig):
    """A value in the JSON object of an answer, found as the reply of a judge is."""

    type: Literal["json"] = Field(description="the type of scorer", json_schema_extra=IDENTITY)
    path: str | list[str | int] = Field(
        description="json: keys and places from 0, joined by dots, or as a list",
        examples=["answer.values.0"],
        json_schema_extra=IDENTITY,
    )
    comparison: Literal["exact", "numeric"] = Field(
        default="exact",
        description="json: compare as exact_match does, or as numeric",
        json_schema_extra=IDENTITY,
    )

    @field_validator("path", mode="before")
    @classmethod
    def _has_no_truth_value(cls, path: object) -> object:
        """Python takes true for 1, and YAML reads yes, on and true as that."""
        for step in path if isinstance(path, list) else ():
            if isinstance(step, bool):
                raise ValueError(
                    f"YAML reads a step as {str(step).lower()}; put quotes around a key"
                )
        return path

    @field_validator("path")
    @classmethod
    def _leads_somewhere(cls, path: str | list[str | int]) -> str | list[str | int]:
        steps = path.split(".") if isinstance(path, str) else path
        if isinstance(path, str) and _QUERY.search(path):
            raise ValueError(
                f"write keys and places joined by dots: {_as_steps(path)}; found {path!r}. A key "
                "that has $ or [ in it stands in a list, such as [a, b]"
            )
        if not steps or "" in steps or any(isinstance(s, int) and s < 0 for s in steps):
            raise ValueError(f"give keys and places, such as answer.values.0; found {path!r}")
        return path

    @property
    def version(self) -> str:
        return f"1.{_SCORERS[self.comparison].columns['scorer_version']}"

    @property
    def targets(self) -> Targets:
        return NUMBERS if self.comparison == "numeric" else TEXTS

    def rules(self) -> Callable[[str, str], Verdict]:
        path = self.path.split(".") if isinstance(self.path, str) else self.path
        return partial(_verdict, path, self.comparison == "numeric")


def _verdict(path: Sequence[str | int], is_numeric: bool, solution: str, target: str) -> Verdict:
    """The verdict of exact_match or numeric on the value.

    Codes: `no_json_object`, `no_such_path`, `not_one_value` where the path leads to a list or an
    object, and those of exact_match or numeric.
    """
    found, has_object = find_object(solution, lambda value: _at(value, path) is not _NOWHERE)
    value = _at(found, path)
    if value is _NOWHERE:
        return Verdict.failed("no_such_path" if has_object else "no_json_object")
    if isinstance(value, list | dict):
        return Verdict.failed("not_one_value")
    text = " ".join(value.split()) if isinstance(value, str) else _written(value)
    # A label, so that the value is read as the answer, and not as a text that holds one.
    return numeric(f"ANSWER: {text}", target) if is_numeric else exact_match(text, target)


def _as_steps(query: str) -> str:
    """A path in the manner of JSONPath as keys and places joined by dots."""
    return ".".join(re.findall(r"[^$.\[\]'\"]+", query)) or "answer.values.0"


def _at(value: Any, path: Sequence[str | int]) -> Any:
    """What a path leads to."""
    for step in path:
        if isinstance(value, dict) and str(step) in value:
            value = value[str(step)]
        elif isinstance(value, list) and _PLACE.fullmatch(str(step)) and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOWHERE
    return value


def _written(value: float | bool | None) -> str:
    """A number, true, false or null as JSON writes it."""
    return json.dumps(value)
