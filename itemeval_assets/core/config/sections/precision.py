"""The section `precision`: how narrow intervals are to be. No key of it enters an id."""

from pydantic import Field

from itemeval_assets.core.text.yaml.sections import Section

__all__ = ["PrecisionConfig"]


class PrecisionConfig(Section):
    """What a run buys items for, in tranches: a half-width, or a difference to detect."""

    half_width: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="buy items until each interval is as narrow, in units of the score: 0.02 is"
        " 2 points to each side",
        examples=[0.02],
    )
    detect: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="instead: until such a difference is found with a power of 80 %, in units of"
        " the score",
        examples=[0.03],
    )
    metrics: list[str] | None = Field(
        default=None,
        min_length=1,
        description="graders and scorers that must be as precise; null: all of the study, but no"
        " people",
        examples=[["judge"]],
    )

    @property
    def key(self) -> str:
        """The key that is given."""
        return "detect" if self.half_width is None else "half_width"

    @property
    def target(self) -> float:
        """What is given, in units of the score."""
        found = self.detect if self.half_width is None else self.half_width
        assert found is not None
        return found
