"""What all sections of the study's YAML share."""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

# Marks a field that enters a condition's id.
IDENTITY: dict[str, Any] = {"identity": True}
# A larger figure is a slip of the keyboard, and would pass what a column holds.
MOST_TOKENS = 100_000_000
# As inspect_ai names it: <provider>/<model>.
MODEL_ID = r"^[^/\s]+/\S+$"

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Section(BaseModel):
    """A section of the YAML. Unknown keys are refused, and what is read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: object, info: ValidationInfo) -> object:
        """Python takes true for 1, and YAML reads yes, on and true as that."""
        field = cls.model_fields[info.field_name or ""].annotation
        kinds = {*(get_args(field) or (field,))}
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            wanted = "a number or a text in quotes" if str in kinds else "a number"
            raise ValueError(f"give {wanted}; YAML reads this as {str(value).lower()}")
        return value
