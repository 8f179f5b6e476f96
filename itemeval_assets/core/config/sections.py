"""The study config: the YAML that declares a benchmark, a design and a budget.

Fields marked with `IDENTITY` enter a condition's id; every other field may change
without starting new conditions.
"""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from croniter import CroniterError, croniter
from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from itemeval_assets.core.grading.grader import GraderConfig
from itemeval_assets.core.grading.kinds import KINDS, SCORERS, model_as_grader, read_entry
from itemeval_assets.core.text.locations import ACCEPTED, is_location
from itemeval_assets.core.text.yaml_sections import (
    IDENTITY,
    MOST_TOKENS,
    ReasoningEffort,
    Section,
)

from .measurement import MeasurementConfig
from .policies import Policy

# Minute, hour, day, month, weekday.
_CRON = r"^\s*([\d*,/-]+\s+){2}[\d*,/L-]+\s+[\w*,/-]+\s+[\w*,/#-]+\s*$"
# Where a cron expression is tried out: whether it ever comes does not depend on the day.
_ANY_TIME = datetime(2000, 1, 1)
# Larger figures are slips of the keyboard, and would fill the memory or pass what a column holds.
_MOST_USD = 1_000_000.0
_MOST_REPLICATIONS = 10_000
_MOST_RETRIES = 1_000
_MOST_CONNECTIONS = 10_000
_A_WEEK_S = 7 * 86_400
_LARGEST_SEED = 2**63 - 1

# `/` would leave the folder of the templates; the rest would break ids or file names.
_TEMPLATE_NAME = r"^(builtin:)?[A-Za-z0-9][A-Za-z0-9._-]*$"
_FACET_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

OnEmpty = Literal["skip", "rerun", "grade"]
if TYPE_CHECKING:
    AnyGrader = GraderConfig
    ScorerName = str
else:
    AnyGrader = Annotated[reduce(or_, KINDS.values()), BeforeValidator(read_entry)]
    ScorerName = Literal[tuple(SCORERS)]
Usd = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Connections = Annotated[int, Field(strict=True, ge=1, le=_MOST_CONNECTIONS)]
TemplateName = Annotated[str, Field(pattern=_TEMPLATE_NAME)]


def _yaml_on_off(value: object) -> object:
    """YAML 1.1 reads a bare on/off as a boolean; both spellings mean the word."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


def _yaml_auto_off(value: object) -> object:
    return {True: "auto", False: "off"}.get(value, value) if isinstance(value, bool) else value


class DatasetConfig(Section):
    """One dataset: a hub id or a local path, and the part of it to load."""

    id: str = Field(min_length=1, description="hub id `org/name`, or a path relative to this file")
    revision: str | None = Field(
        default=None, description="branch, tag or commit; pinned at first run"
    )
    split: str = "train"
    name: str | None = Field(default=None, description="dataset configuration on the hub")
    limit: int | None = Field(default=None, ge=1, description="first N rows only")
    delimiter: str | None = Field(
        default=None, description="CSV: the character between cells; null: a comma"
    )
    encoding: str | None = Field(
        default=None, description="CSV: the encoding of the text; null: utf-8"
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '"\r\n\0'):
            raise ValueError(
                f"give the one character that separates cells; found {value!r}. A tab is "
                '"\\t", in double quotes'
            )
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            b"\0\0\0\0".decode("utf-8" if value is None else value)
        except (LookupError, ValueError):
            raise ValueError(
                f"Python does not know the text encoding {value!r}; give another one, such as "
                "utf-8, utf-16, cp1252, latin-1, shift_jis"
            ) from None
        return value

    @property
    def csv_options(self) -> dict[str, str]:
        """The keys for CSV that are set."""
        return self.model_dump(include={"delimiter", "encoding"}, exclude_none=True)


class MappingConfig(Section):
    """Which column holds what. `id` may be one column, several, or a `{column}` pattern."""

    input: str
    target: str | None = None
    id: str | list[str] | None = None
    grading_scheme: str | None = None
    metadata: list[str] = Field(default_factory=list)


class BenchmarkConfig(Section):
    """The items: where they come from and how their columns map."""

    adapter: Literal["hf", "local"]
    datasets: list[DatasetConfig] = Field(min_length=1)
    mapping: MappingConfig


class SolversConfig(Section):
    """The models that answer, and how they are asked."""

    models: list[Annotated[str, Field(min_length=3, pattern=r"^[^/\s]+/\S+$")]] = Field(
        min_length=1
    )
    temperature: float | None = Field(default=None, ge=0.0, le=2.0, json_schema_extra=IDENTITY)
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS, json_schema_extra=IDENTITY)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0, json_schema_extra=IDENTITY)
    seed: int | None = Field(
        default=None, ge=-_LARGEST_SEED, le=_LARGEST_SEED, json_schema_extra=IDENTITY
    )
    attempt_timeout: int | None = Field(
        default=None, ge=1, le=_A_WEEK_S, description="seconds one request may take"
    )
    max_retries: int | None = Field(
        default=None, ge=0, le=_MOST_RETRIES, description="request retries before a cell errors"
    )
    retry_on_error: int | None = Field(
        default=None, ge=0, le=_MOST_RETRIES, description="new attempts of an errored cell"
    )
    max_connections: Connections | dict[str, Connections] | None = Field(
        default=None, description="calls in flight: one number, or one per provider"
    )
    on_empty: OnEmpty = "skip"
    cache_prompt: Annotated[Literal["auto", "on", "off"], BeforeValidator(_yaml_on_off)] = "auto"
    split_prompt: bool = Field(default=False, json_schema_extra=IDENTITY)
    provider_routing: dict[str, Any] | None = None


class ModelConfigFacet(Section):
    """One level of the model_config facet: a name and the sampling settings it overrides."""

    name: str = Field(pattern=_FACET_NAME)
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    reasoning_effort: ReasoningEffort | None = None
    reasoning_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)


class FacetsConfig(Section):
    """The design: what is crossed with what, and how often each cell is repeated."""

    # pydantic reserves the attribute `model_config`, so the YAML key is an alias.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    prompt: list[TemplateName] = Field(default=["builtin:standard"], min_length=1)
    model_config_facet: list[ModelConfigFacet] = Field(
        default_factory=lambda: [ModelConfigFacet(name="default")],
        alias="model_config",
        min_length=1,
    )
    grader: list[str] = Field(default_factory=list)
    rubric: list[TemplateName] = Field(default=["builtin:standard"], min_length=1)
    scorer: ScorerName | list[ScorerName] | None = None
    replications: int = Field(default=1, ge=1, le=_MOST_REPLICATIONS)

    @property
    def scorers(self) -> list[str]:
        if self.scorer is None:
            return []
        return [self.scorer] if isinstance(self.scorer, str) else list(self.scorer)


class BudgetConfig(Section):
    """What may be spent, and how much of the design a run covers."""

    policy: Policy = "dev"
    dev_items: int = Field(default=2, ge=1)
    dev_replications: int | None = Field(default=None, ge=1, le=_MOST_REPLICATIONS)
    confirm_above_usd: Usd = Field(default=5.0, ge=0.0, le=_MOST_USD)
    max_usd: Usd | None = Field(default=None, gt=0.0, le=_MOST_USD)
    batch: bool | Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    pricing_path: str | None = None
    pricing_max_age_days: float | None = Field(default=None, ge=0.0)
    cache_schedule: Annotated[Literal["auto", "off"], BeforeValidator(_yaml_auto_off)] = "auto"


class AutomationConfig(Section):
    """What happens by itself once its schedule and its sensor are started in the UI."""

    cron: str = Field(
        default="0 * * * *", pattern=_CRON, description="when to look for pending cells"
    )
    max_attempts: int = Field(
        default=3, ge=1, description="attempts before the schedule gives up a partition"
    )
    retry_after_minutes: float = Field(
        default=10.0, ge=0, le=525_600, allow_inf_nan=False, description="doubled at each attempt"
    )
    paid: bool = Field(
        default=False, description="make paid calls, too, when their inputs have changed"
    )
    partitions_per_run: int | None = Field(
        default=None, ge=1, description="partitions in each run of a backfill; null: all in one run"
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


class StudySections(Section):
    """All sections of a study, each by itself: what they must be to each other is in `rules`."""

    study: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    output_dir: str = Field(default="studies", min_length=1)
    prompts_dir: str = "prompts"
    rubrics_dir: str = "rubrics"
    cache: bool = True
    benchmark: BenchmarkConfig
    solvers: SolversConfig
    facets: FacetsConfig
    graders: dict[str, AnyGrader] = Field(default_factory=dict)
    crossing: Literal["full"] = "full"
    budget: BudgetConfig = Field(default_factory=BudgetConfig)
    measurement: MeasurementConfig = Field(default_factory=MeasurementConfig)
    automation: AutomationConfig = Field(default_factory=AutomationConfig)

    @field_validator("output_dir")
    @classmethod
    def _folder_or_bucket(cls, value: str) -> str:
        if not is_location(value):
            raise ValueError(f"give {ACCEPTED}")
        return value

    def grader(self, name: str) -> GraderConfig:
        """What a `facets.grader` entry means: a key of `graders`, or a bare model id."""
        return self.graders.get(name) or model_as_grader(name)

    def as_yaml_dict(self) -> dict[str, Any]:
        """The full parsed config under its YAML key names, ready for JSON."""
        return self.model_dump(mode="json", by_alias=True)
