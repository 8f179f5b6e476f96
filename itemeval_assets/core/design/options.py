"""What may be asked of a run: one declaration for Dagster, the command line and Python."""

from pydantic import BaseModel, ConfigDict, Field


class PlanOptions(BaseModel):
    """Which cells of the chosen partitions are pending."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: bool = Field(default=False, description="repeat finished calls")
    skip_tried: bool = Field(
        default=False, description="make no call again whose cell errored or is blank"
    )
    policy: str | None = Field(default=None, description="use this policy, not budget.policy")


class RunOptions(PlanOptions):
    """How the pending cells are called."""

    recover_only: bool = Field(
        default=False,
        description="recover finished answers from the logs of killed runs, and make no call",
    )
    consent_usd: float | None = Field(
        default=None,
        description="allow a cost of up to so many USD. The run tag itemeval_assets/consent_usd "
        "does the same: use it for a backfill, which takes no config",
    )
