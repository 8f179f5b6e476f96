"""The section `solvers`: the models that answer."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, WrapValidator
from pydantic_core import PydanticCustomError

from itemeval_assets.core.text.yaml.sections import IDENTITY, MODEL_ID, MOST_TOKENS, Section

_MOST_RETRIES = 1_000
_MOST_REROUTES = 10
_MOST_CONNECTIONS = 10_000
_A_WEEK_S = 7 * 86_400
_LARGEST_SEED = 2**63 - 1

OnEmpty = Literal["skip", "rerun", "grade"]
Connections = Annotated[int, Field(strict=True, ge=1, le=_MOST_CONNECTIONS)]


def _yaml_on_off(value: object) -> object:
    """YAML 1.1 reads a bare on/off as a boolean; both spellings mean the word."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


ModelId = Annotated[str, Field(min_length=3, pattern=MODEL_ID)]
_NONE_GIVEN: list[str] = []
_ONE_OF_THEM: list[Any] = [{"required": ["models"]}, {"required": ["sample"]}]


def _models_or_sample(
    value: object, handler: Callable[[object], list[str]], info: ValidationInfo
) -> list[str]:
    """`models` is required, but where they are drawn."""
    if value is not _NONE_GIVEN:
        return handler(value)
    if info.data.get("sample", _NONE_GIVEN) is None:
        raise PydanticCustomError("missing", "Field required")
    return []


class RosterFilterConfig(Section):
    """Which models of a roster may be drawn, by what is known of them."""

    provider: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None,
        min_length=1,
        description="only models of these providers; of a model at OpenRouter it is the one whose "
        "model it is; null: of all",
        examples=[["openai", "anthropic"]],
    )
    max_output_usd_per_mtok: float | None = Field(
        default=None,
        ge=0.0,
        description="only models whose output costs at most this, by the prices of when the roster "
        "was locked; null: at any price",
        examples=[15.0],
    )


class ModelSampleConfig(Section):
    """Some models of a roster, drawn at random; a larger `n` keeps those of a smaller one."""

    roster: str = Field(
        min_length=1,
        description="a text file with a model on each line, relative to this file; # begins a "
        "comment. The first run locks it",
        examples=["roster.txt"],
    )
    n: int = Field(ge=1, description="how many models", examples=[5])
    seed: int = Field(default=0, ge=0, description="another seed draws other models", examples=[7])
    by: Literal["provider"] | None = Field(
        default=None,
        description="provider: each keeps its share of the roster, within one model; of a model at "
        "OpenRouter it is the one whose model it is; null: any models",
        examples=["provider"],
    )
    exclude: list[ModelId] = Field(
        default_factory=list,
        description="models of the roster that are not drawn, such as the judges",
        examples=[["openai/gpt-6.1-sol"]],
    )
    include: list[ModelId] = Field(
        default_factory=list,
        description="models that are always in the sample, and count in `n` and in the share of "
        "their provider; they need not be in the roster",
        examples=[["openai/gpt-6-luna"]],
    )
    where: RosterFilterConfig | None = Field(
        default=None,
        description="draws from some models of the roster alone; those of `include` are in anyway",
    )


class SolversConfig(Section):
    """The models that answer, and how they are asked."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_OF_THEM})

    sample: ModelSampleConfig | None = Field(
        default=None, description="draws the models from a roster, in the place of `models`"
    )
    models: Annotated[list[ModelId], Field(min_length=1), WrapValidator(_models_or_sample)] = Field(
        default_factory=lambda: _NONE_GIVEN,
        validate_default=True,
        description="the models that answer, as <provider>/<model> of inspect_ai; required "
        "without `sample`",
        examples=[["mockllm/alpha", "mockllm/beta"]],
    )
    temperature: float | None = Field(
        default=None,
        ge=0.0,
        le=2.0,
        description="how much chance is in an answer; null: the provider's default",
        examples=[0.7],
        json_schema_extra=IDENTITY,
    )
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=MOST_TOKENS,
        description="the longest answer, in tokens; null: the provider's default",
        examples=[1024],
        json_schema_extra=IDENTITY,
    )
    top_p: float | None = Field(
        default=None,
        gt=0.0,
        le=1.0,
        description="the share of the probability that tokens are drawn from",
        examples=[0.95],
        json_schema_extra=IDENTITY,
    )
    seed: int | None = Field(
        default=None,
        ge=-_LARGEST_SEED,
        le=_LARGEST_SEED,
        description="for providers that give the same answer to the same seed",
        examples=[42],
        json_schema_extra=IDENTITY,
    )
    attempt_timeout: int | None = Field(
        default=None, ge=1, le=_A_WEEK_S, description="seconds one request may take", examples=[600]
    )
    max_retries: int | None = Field(
        default=None,
        ge=0,
        le=_MOST_RETRIES,
        description="request retries before a cell errors",
        examples=[5],
    )
    retry_on_error: int | None = Field(
        default=None,
        ge=0,
        le=_MOST_RETRIES,
        description="new attempts of an errored cell",
        examples=[1],
    )
    max_reroutes: int | None = Field(
        default=None,
        ge=1,
        le=_MOST_REROUTES,
        description="how often a call at OpenRouter is made again, without the provider whose "
        "reply was no answer",
        examples=[2],
    )
    max_connections: Connections | dict[str, Connections] | None = Field(
        default=None,
        description="calls in flight: one number, or one per provider",
        examples=[{"openai": 40}],
    )
    on_empty: OnEmpty = Field(
        default="skip",
        description="a blank answer: leave it ungraded, ask again at the next run, or grade it",
    )
    cache_prompt: Annotated[Literal["auto", "on", "off"], BeforeValidator(_yaml_on_off)] = Field(
        default="auto", description="whether the provider caches the beginning of prompts"
    )
    split_prompt: bool = Field(
        default=False,
        description="send the text before {input} as the system message",
        json_schema_extra=IDENTITY,
    )
    provider_routing: dict[str, Any] | None = Field(
        default=None,
        description="options of OpenRouter on who answers",
        examples=[{"order": ["a", "b"]}],
    )
