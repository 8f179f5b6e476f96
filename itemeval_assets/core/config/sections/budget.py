"""The section `budget`: what may be spent."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from itemeval_assets.core.config.policies import Policy
from itemeval_assets.core.text.yaml.sections import Section

from .facets import MOST_REPLICATIONS

# A larger figure is a slip of the keyboard.
_MOST_USD = 1_000_000.0

Usd = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def _yaml_auto_off(value: object) -> object:
    return {True: "auto", False: "off"}.get(value, value) if isinstance(value, bool) else value


class BudgetConfig(Section):
    """What may be spent, and how much of the design a run covers."""

    policy: Policy = Field(
        default="dev",
        description="dev: the first `dev_items` items; full-interactive: all; full-batch: all, by "
        "the batch APIs of providers",
    )
    dev_items: int = Field(default=2, ge=1, description="items that `dev` covers")
    dev_replications: int | None = Field(
        default=None,
        ge=1,
        le=MOST_REPLICATIONS,
        description="replications that `dev` covers; null: all",
        examples=[1],
    )
    confirm_above_usd: Usd = Field(
        default=5.0,
        ge=0.0,
        le=_MOST_USD,
        description="a run that may cost more needs consent (--yes)",
    )
    max_usd: Usd | None = Field(
        default=None,
        gt=0.0,
        le=_MOST_USD,
        description="hard limit of the whole study",
        examples=[50.0],
    )
    batch: bool | Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        default="auto",
        description="batch APIs: auto (with full-batch), true, false, or calls per batch",
    )
    prefer_native_batch: bool = Field(
        default=False,
        description="in batch mode models at OpenRouter are asked by the batch API of their own "
        "provider, with its key",
    )
    pricing_path: str | None = Field(
        default=None, description="a JSON file of prices", examples=["prices.json"]
    )
    pricing_max_age_days: float | None = Field(
        default=None, ge=0.0, description="an older price file is refused", examples=[30]
    )
    cache_schedule: Annotated[Literal["auto", "off"], BeforeValidator(_yaml_auto_off)] = Field(
        default="auto",
        description="of calls with the same beginning one goes first, and fills the prompt cache",
    )
