"""The section `measurement`: how figures are estimated. No key of it enters an id."""

from pydantic import Field, field_validator

from itemeval_assets.core.text.yaml.sections import Section

__all__ = ["ITEM_COLUMNS", "MeasurementConfig"]

# What describes an item besides its metadata.
ITEM_COLUMNS = ("item_id", "dataset_id")
# As the package of measurement allows them.
LEVELS = (0.5, 0.9999)


class MeasurementConfig(Section):
    """What makes items dependent, how sure intervals are, and which models are of one family."""

    cluster: str | None = Field(
        default=None,
        description="a metadata column, or dataset_id; null: each item by itself",
        examples=["topic"],
    )
    level: float = Field(
        default=0.95,
        description="of intervals and tests",
        json_schema_extra={"minimum": LEVELS[0], "maximum": LEVELS[1]},
    )
    margin: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="the smallest difference that matters, in units of the score: 0.05 is 5 points",
        examples=[0.05],
    )
    families: dict[str, str] = Field(
        default_factory=dict,
        description="model id: family; default: the provider in the id",
        examples=[{"mockllm/alpha": "greek"}],
    )

    @field_validator("families", mode="before")
    @classmethod
    def _family_of_each(cls, value: object) -> object:
        if isinstance(value, dict):
            for model, family in value.items():
                if not isinstance(family, str):
                    raise ValueError(
                        f"give one family per model, {{model id: family}}, such as"
                        f" {{openai/gpt-x: openai}}; found {model!r}: {family!r}"
                    )
        return value

    @field_validator("level")
    @classmethod
    def _share(cls, value: float) -> float:
        least, most = LEVELS
        if least <= value <= most:
            return value
        advice = f"{value / 100:g}" if 100 * least <= value <= 100 * most else "0.95"
        raise ValueError(
            f"give a share from {least} to {most}, such as {advice}; found {value:.16g}"
        )
