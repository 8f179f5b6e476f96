"""Raters: people who grade, and are shown a rubric beside each solution."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part

from .grader import Grader, GraderConfig, ScoreScale


class HumanConfig(GraderConfig):
    """A person who grades, by sheets. A run calls nobody for it.

    It is crossed with the rubrics, as a judge is: the rubric says what a score means, so a rating
    by other words is another measurement.
    """

    kind: Literal["human"] = Field(description="the kind of grader")
    scale: ScoreScale = Field(
        description="the lowest and the highest score that the rater may give", examples=[[0, 10]]
    )

    @field_validator("scale")
    @classmethod
    def _is_set(cls, scale: ScoreScale) -> ScoreScale:
        if scale is None:
            raise ValueError("give the lowest and the highest score as two numbers: [0, 10]")
        return scale

    @property
    def by_people(self) -> bool:
        return True

    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        return [_rater(name, self.scale, rubric) for rubric in rubrics]


def _rater(name: str, scale: ScoreScale, rubric: Template) -> Grader:
    return Grader(
        kind="human",
        name=name,
        slug_parts=[name, rubric.name],
        payload={
            "grader": {"kind": "human", "name": name},
            "rubric": {"name": rubric.name, "hash": rubric.hash},
        },
        columns={"grader_name": name, "rubric_name": rubric.name, "rubric_hash": rubric.hash},
        label_parts=(Part(name, name), Part(rubric.short_name, rubric.name)),
        template=rubric,
        scale=scale,
        by_people=True,
    )
