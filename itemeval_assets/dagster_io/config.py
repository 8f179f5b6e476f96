"""What may be asked of a run, as Dagster's launchpad takes it."""

from enum import StrEnum
from typing import TYPE_CHECKING, get_args

import dagster as dg
from pydantic import Field

from itemeval_assets.core.config.policies import Policy
from itemeval_assets.core.design.options import PlanOptions, RunOptions

if TYPE_CHECKING:
    PolicyName = str
else:
    # Dagster takes no optional Literal. It knows an enum by the names of its members: here they
    # are the words of the YAML. Beyond this layer they are plain words again.
    PolicyName = StrEnum("PolicyName", {name: name for name in get_args(Policy)})

_POLICY = Field(default=None, description=PlanOptions.model_fields["policy"].description)


class PlanConfig(PlanOptions, dg.Config):
    """What to look at: by default, what remains of the study under its own policy."""

    policy: PolicyName | None = _POLICY

    def options(self) -> PlanOptions:
        return PlanOptions(**self.model_dump(mode="json"))


class ItemsConfig(dg.Config):
    """What may be asked of a run that reads the items."""

    accept_changes: bool = Field(
        default=False,
        description="make answers and gradings of items again that changed since, and keep all "
        "others",
    )


class RunConfig(RunOptions, dg.Config):
    """What may be asked of one run of a paid asset."""

    policy: PolicyName | None = _POLICY

    def options(self) -> RunOptions:
        return RunOptions(**self.model_dump(mode="json"))
