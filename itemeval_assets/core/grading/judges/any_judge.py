"""What judges share: the model that is asked, its settings, and when it is asked."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from itemeval_assets.core.grading.grader import Grader, GraderConfig, ModelCall, ScoreScale
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.yaml.sections import (
    IDENTITY,
    MODEL_ID,
    MOST_TOKENS,
    ReasoningEffort,
)

_MOST_REPEATS = 100


def refuse_several_models(value: object) -> object:
    """Raise ValueError for a list: nobody could see then who said what."""
    if isinstance(value, list):
        raise ValueError(
            "a judge is one model: declare an entry of `graders` for each model, and name them all "
            "in facets.grader. Each has its scores and its costs, and `agreement` compares them"
        )
    return value


class AnyJudgeConfig(GraderConfig):
    """A model that grades."""

    kind: Literal["judge"] = Field(default="judge", description="the kind of grader")
    model: Annotated[str, BeforeValidator(refuse_several_models)] = Field(
        pattern=MODEL_ID,
        description="the model that grades, as <provider>/<model>",
        examples=["mockllm/judge"],
    )
    temperature: float | None = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        description="how much chance is in a verdict; null: the provider's default",
        json_schema_extra=IDENTITY,
    )
    max_tokens: int | None = Field(
        default=2048,
        ge=1,
        le=MOST_TOKENS,
        description="the longest reply, in tokens; null: the provider's default",
        json_schema_extra=IDENTITY,
    )
    reasoning_effort: ReasoningEffort | None = Field(
        default=None,
        description="how much a reasoning model thinks",
        examples=["low"],
        json_schema_extra=IDENTITY,
    )
    repeats: int = Field(
        default=1, ge=1, le=_MOST_REPEATS, description="how often it grades each answer"
    )
    scale: ScoreScale = Field(
        default=None,
        description="the lowest and the highest score; with `scorer`, [0, 1] unless set",
        examples=[[0, 1]],
    )
    after: str | None = Field(
        default=None,
        min_length=1,
        description="a scorer: the judge grades only what this does not find wholly right",
        examples=["exact_match"],
        json_schema_extra=IDENTITY,
    )
    max_solution_chars: int | None = Field(
        default=None,
        ge=1,
        le=MOST_TOKENS,
        description="the judge is shown a longer solution cut to so many characters, with a mark",
        examples=[20000],
        json_schema_extra=IDENTITY,
    )
    provider_routing: dict[str, Any] | None = Field(
        default=None,
        description="options of OpenRouter on who answers",
        examples=[{"order": ["a", "b"]}],
    )

    @field_validator("after")
    @classmethod
    def _has_a_scale(cls, after: str | None, info: ValidationInfo) -> str | None:
        if after is not None and info.data.get("scale", ()) is None:
            raise ValueError(
                "needs `scale` beside it: what the scorer finds wholly right gets the highest score"
                " of the judge. Write the lowest and the highest score, such as scale: [0, 10]"
            )
        return after

    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        once = [self.once(name, rubric) for rubric in rubrics]
        repeats = range(1, self.repeats + 1)
        judges = [replace(judge, repeat=repeat) for judge in once for repeat in repeats]
        return [one for judge in judges for one in (judge, *self.parts_of(judge))]

    def parts_of(self, judge: Grader) -> list[Grader]:
        """The graders whose scores stand in the replies to this one; none of most."""
        return []

    @abstractmethod
    def once(self, name: str, rubric: Template) -> Grader:
        """The grader that an entry of this name is with a rubric, the first time."""

    def judge(
        self,
        name: str,
        rubric: Template,
        *,
        payload: Mapping[str, Any],
        label_parts: tuple[Part, ...],
        call: ModelCall,
    ) -> Grader:
        """A grader of this kind: with what the rows of all judges say."""
        return Grader(
            kind="judge",
            name=name,
            slug_parts=[name, rubric.name],
            payload=self._with_limit(payload),
            columns={
                "grader_name": name,
                "grader_model": self.model,
                "rubric_name": rubric.name,
                "rubric_hash": rubric.hash,
            },
            label_parts=label_parts,
            template=rubric,
            scale=self.scale,
            call=replace(call, max_solution_chars=self.max_solution_chars),
        )

    def _with_limit(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """A judge without a limit keeps its id."""
        most = self.max_solution_chars
        return payload if most is None else {**payload, "max_solution_chars": most}

    @property
    def models(self) -> Mapping[str, str]:
        return {"model": self.model}

    @property
    def first_scorer(self) -> str | None:
        return self.after

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "reasoning_effort": self.reasoning_effort,
        }
