"""The section `rubrics`: rubrics of which a model writes one for each item."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from itemeval_assets.core.config.wording import TEMPLATE_NAME
from itemeval_assets.core.text.yaml.sections import (
    IDENTITY,
    MODEL_ID,
    MOST_TOKENS,
    ReasoningEffort,
    Section,
)

TemplateName = Annotated[str, Field(pattern=TEMPLATE_NAME)]


class MaterializeConfig(Section):
    """The model that writes the rubric of each item, once."""

    model: str = Field(
        pattern=MODEL_ID,
        description="the model that writes the rubrics, as <provider>/<model>",
        examples=["mockllm/writer"],
    )
    template: TemplateName = Field(
        description="what it is told: builtin:NAME, or NAME for rubrics/NAME.md",
        examples=["write_rubric"],
        json_schema_extra=IDENTITY,
    )
    temperature: float | None = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        description="how much chance is in a rubric; null: the provider's default",
        json_schema_extra=IDENTITY,
    )
    max_tokens: int | None = Field(
        default=2048,
        ge=1,
        le=MOST_TOKENS,
        description="the longest rubric, in tokens; null: the provider's default",
        json_schema_extra=IDENTITY,
    )
    reasoning_effort: ReasoningEffort | None = Field(
        default=None,
        description="how much a reasoning model thinks",
        examples=["low"],
        json_schema_extra=IDENTITY,
    )
    provider_routing: dict[str, Any] | None = Field(
        default=None,
        description="options of OpenRouter on who answers",
        examples=[{"order": ["a", "b"]}],
    )

    @property
    def params(self) -> Mapping[str, Any]:
        """The settings that are set, under the names of inspect's `GenerateConfig`."""
        names = ("temperature", "max_tokens", "reasoning_effort")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class RubricConfig(Section):
    """An entry of `rubrics:`: how each item's rubric is written, and how judges are shown it."""

    materialize: MaterializeConfig = Field(description="who writes the rubric of each item")
    grade_template: TemplateName = Field(
        description="what judges are told, with {rubric} in it: builtin:NAME, or NAME for "
        "rubrics/NAME.md",
        examples=["grade_by_rubric"],
    )
