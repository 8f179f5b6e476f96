"""python, inspect, and what packages offer: scorers that are code of others."""

from typing import Any, Literal

from pydantic import Field, field_validator

from itemeval_assets.core.grading.code import (
    REFUSED_OF_INSPECT,
    FunctionCode,
    InspectCode,
    PackagedCode,
    Source,
)
from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .section import CodeConfig


class PythonConfig(CodeConfig):
    """A function of the user's, called as (solution, target, metadata)."""

    type: Literal["python"] = Field(description="the type of scorer", json_schema_extra=IDENTITY)
    function: str = Field(
        description="python: <file>.py:<function>, relative to this file, or <module>:<function>",
        examples=["my_scorers.py:score"],
        json_schema_extra=IDENTITY,
    )

    @field_validator("function")
    @classmethod
    def _has_both_parts(cls, function: str) -> str:
        place, _, name = function.rpartition(":")
        is_module = all(part.isidentifier() for part in place.split("."))
        if not name.isidentifier() or not (place.endswith(".py") or is_module):
            raise ValueError(
                "give <file>.py:<function> or <module>:<function>, such as my_scorers.py:score; "
                f"found {function!r}"
            )
        return function

    @property
    def code(self) -> FunctionCode:
        place, _, name = self.function.rpartition(":")
        return FunctionCode(place, name)

    def _version(self, source: Source) -> str:
        return source.hash

    def _identity(self, source: Source) -> dict[str, Any]:
        """The text of the file and the function in it, wherever the file lies."""
        return {"function": self.code.function, "hash": source.hash}


class InspectConfig(CodeConfig):
    """A scorer of inspect_ai, or of a package that registers its scorers there."""

    type: Literal["inspect"] = Field(description="the type of scorer", json_schema_extra=IDENTITY)
    scorer_name: str = Field(
        alias="scorer",
        min_length=1,
        description="inspect: its name, as includes, or <package>/<name>",
        examples=["includes"],
        json_schema_extra=IDENTITY,
    )
    args: dict[str, Any] = Field(
        default_factory=dict,
        description="inspect, or a type of a package: what it is called with, by name",
        examples=[{"ignore_case": False}],
        json_schema_extra=IDENTITY,
    )

    @field_validator("scorer_name")
    @classmethod
    def _needs_the_text_alone(cls, scorer: str) -> str:
        reason = REFUSED_OF_INSPECT.get(scorer.removeprefix("inspect_ai/"))
        if reason:
            raise ValueError(f"{scorer!r} cannot grade a stored answer: {reason}")
        return scorer

    @property
    def code(self) -> InspectCode:
        return InspectCode(self.scorer_name, self.args)

    @property
    def targets(self) -> Targets | None:
        """Those of inspect_ai compare with one text; what those of packages do, nobody knows."""
        is_of_package = "/" in self.scorer_name.removeprefix("inspect_ai/")
        return None if is_of_package else Targets("a text", lambda target: True)

    def _version(self, source: Source) -> str:
        return source.version

    def _identity(self, source: Source) -> dict[str, Any]:
        return self.definition


class PackagedConfig(CodeConfig):
    """A scorer that an installed package offers under this type."""

    type: str = Field(description="the type of scorer", json_schema_extra=IDENTITY)
    args: dict[str, Any] = Field(
        default_factory=dict,
        description="inspect, or a type of a package: what it is called with, by name",
        json_schema_extra=IDENTITY,
    )

    @property
    def code(self) -> PackagedCode:
        return PackagedCode(self.type, self.args)

    def _version(self, source: Source) -> str:
        return source.version

    def _identity(self, source: Source) -> dict[str, Any]:
        return {**self.definition, "package": source.version}
