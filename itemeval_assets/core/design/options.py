"""What may be asked of a run: one declaration for Dagster, the command line and Python."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PlanOptions", "RunOptions"]


class PlanOptions(BaseModel):
    """Which cells of the chosen partitions are pending."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: bool = Field(default=False, description="call again what is done")
    policy: str | None = Field(default=None, description="overrides budget.policy")


class RunOptions(PlanOptions):
    """How the pending cells are called."""

    recover_only: bool = Field(
        default=False, description="read back what killed runs have logged, and call nobody"
    )
    consent_usd: float | None = Field(
        default=None,
        description="what all calls of the run together may cost; a run tag of that name does the "
        "same, also where a backfill takes no config",
    )
