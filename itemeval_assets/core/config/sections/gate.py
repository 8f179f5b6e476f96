"""The section `gate`: which difference is too bad. No key of it enters an id."""

from pydantic import Field

from itemeval_assets.core.text.yaml.sections import Section

__all__ = ["GateConfig"]


class GateConfig(Section):
    """What is compared with what, and by how much it may be worse."""

    against: str = Field(
        min_length=1,
        description="a release, such as v1.0.0, or a condition, model, prompt or config of the "
        "study",
        examples=["v1.0.0"],
    )
    candidate: str | None = Field(
        default=None,
        min_length=1,
        description="what may be worse: of the same kind as `against`; null, against a release: "
        "each condition of the study",
        examples=["openai/gpt-6.1-sol"],
    )
    margin: float = Field(
        gt=0.0,
        allow_inf_nan=False,
        description="how much worse is too bad, in units of the score: 0.02 is 2 points",
        examples=[0.02],
    )
    metrics: list[str] | None = Field(
        default=None,
        min_length=1,
        description="graders and scorers that all must pass; null: all of the study "
        "but raters and rejudges",
        examples=[["judge"]],
    )
