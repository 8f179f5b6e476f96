"""The section `automation`: what happens by itself."""

from datetime import datetime

from croniter import CroniterError, croniter
from pydantic import Field, field_validator

from itemeval_assets.core.config.wording import CRON
from itemeval_assets.core.text.timezones import is_timezone, nearest_timezone
from itemeval_assets.core.text.yaml.sections import Section

# Where a cron expression is tried out: whether it ever comes does not depend on the day.
_ANY_TIME = datetime(2000, 1, 1)


class AutomationConfig(Section):
    """What the schedule and the sensor of a study do, and whether they are on from the start."""

    started: bool = Field(
        default=False,
        description="schedule and sensor are on from the start; false: until somebody starts them",
    )
    cron: str = Field(
        default="0 * * * *", pattern=CRON, description="when to look for pending cells"
    )
    timezone: str | None = Field(
        default=None, description="the time zone of `cron`; null: UTC", examples=["Europe/Berlin"]
    )
    max_attempts: int = Field(
        default=3, ge=1, description="attempts before the schedule gives up a partition"
    )
    retry_after_minutes: float = Field(
        default=10.0,
        ge=0,
        le=525_600,
        allow_inf_nan=False,
        description="how long to wait after a failure; doubled at each attempt",
    )
    paid: bool = Field(
        default=False, description="make paid calls, too, when their inputs have changed"
    )
    partitions_per_run: int | None = Field(
        default=None,
        ge=1,
        description="partitions in each run of a backfill; null: all in one run",
        examples=[20],
    )

    @field_validator("cron")
    @classmethod
    def _comes(cls, value: str) -> str:
        try:
            croniter(value, _ANY_TIME).get_next()
        except CroniterError as error:
            raise ValueError(
                f"{value!r} is a time that never comes; write five fields: minute (0-59), hour "
                "(0-23), day (1-31), month (1-12), day of the week (0-6, 0 is Sunday); for "
                "example '0 3 * * *', each night at three"
            ) from error
        return value

    @field_validator("timezone")
    @classmethod
    def _is_listed(cls, value: str | None) -> str | None:
        if value is not None and not is_timezone(value):
            near = nearest_timezone(value)
            raise ValueError(
                f"there is no time zone {value!r}; "
                + (f"did you mean {near!r}?" if near else "write one such as Europe/Berlin or UTC")
            )
        return value
