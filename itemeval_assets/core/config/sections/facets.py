"""The section `facets`: the design."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from itemeval_assets.core.config.wording import FACET_NAME, TEMPLATE_NAME
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.text.yaml.sections import MOST_TOKENS, ReasoningEffort, Section

MOST_REPLICATIONS = 10_000

if TYPE_CHECKING:
    ScorerName = str
else:
    # The words are for editors; any other one is a key of `scorers`.
    ScorerName = Literal[tuple(SCORERS)] | str
TemplateName = Annotated[str, Field(pattern=TEMPLATE_NAME)]
_OVERRIDES = "in place of that of `solvers`"


class ModelConfigFacet(Section):
    """One level of the model_config facet: a name and the sampling settings it overrides."""

    name: str = Field(
        pattern=FACET_NAME, description="what tables call this config", examples=["cool"]
    )
    temperature: float | None = Field(
        default=None, ge=0.0, le=2.0, description=_OVERRIDES, examples=[0.0]
    )
    top_p: float | None = Field(
        default=None, gt=0.0, le=1.0, description=_OVERRIDES, examples=[0.9]
    )
    max_tokens: int | None = Field(
        default=None, ge=1, le=MOST_TOKENS, description=_OVERRIDES, examples=[4096]
    )
    reasoning_effort: ReasoningEffort | None = Field(
        default=None, description="how much a reasoning model thinks", examples=["high"]
    )
    reasoning_tokens: int | None = Field(
        default=None,
        ge=1,
        le=MOST_TOKENS,
        description="how many tokens it may think",
        examples=[8000],
    )


class FacetsConfig(Section):
    """The design: what is crossed with what, and how often each cell is repeated."""

    # pydantic reserves the attribute `model_config`, so the YAML key is an alias.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    prompt: list[TemplateName] = Field(
        default=["builtin:standard"],
        min_length=1,
        description="prompt templates: builtin:NAME, or NAME for prompts/solver/NAME.md",
        examples=[["builtin:minimal", "concise"]],
    )
    model_config_facet: list[ModelConfigFacet] = Field(
        default_factory=lambda: [ModelConfigFacet(name="default")],
        alias="model_config",
        min_length=1,
        description="sampling settings to compare",
    )
    grader: list[str] = Field(
        default_factory=list,
        description="judges and raters: keys of `graders`, or models",
        examples=[["judge"]],
    )
    rubric: list[TemplateName] = Field(
        default=["builtin:standard"],
        min_length=1,
        description="what judges and raters are told: builtin:NAME, or NAME for rubrics/NAME.md",
        examples=[["correctness"]],
    )
    scorer: ScorerName | list[ScorerName] | None = Field(
        default=None,
        description="what grades free: rules, or keys of `scorers`: one, or a list",
        examples=["numeric"],
    )
    replications: int = Field(
        default=1,
        ge=1,
        le=MOST_REPLICATIONS,
        description="independent answers of each condition to each item",
    )

    @property
    def scorers(self) -> list[str]:
        if self.scorer is None:
            return []
        return [self.scorer] if isinstance(self.scorer, str) else list(self.scorer)
