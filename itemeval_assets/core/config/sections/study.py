"""All sections of a study together."""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from itemeval_assets.core.config.wording import STUDY_NAME
from itemeval_assets.core.grading.grader import GraderConfig, ScorerConfig
from itemeval_assets.core.grading.kinds import (
    KINDS,
    OF_PACKAGES,
    OF_SCORERS,
    TYPES,
    model_as_grader,
    read_entry,
    read_scorer,
)
from itemeval_assets.core.text.locations import ACCEPTED, is_location
from itemeval_assets.core.text.yaml.sections import Section

from .automation import AutomationConfig
from .benchmark import BenchmarkConfig, TaskBenchmark, read_benchmark
from .budget import BudgetConfig
from .facets import FacetsConfig
from .gate import GateConfig
from .measurement import MeasurementConfig
from .precision import PrecisionConfig
from .rubrics import RubricConfig
from .seal import SealConfig
from .solvers import SolversConfig
from .waves import Wave

if TYPE_CHECKING:
    AnyGrader = GraderConfig
    AnyScorer = ScorerConfig
    AnyBenchmark = BenchmarkConfig | TaskBenchmark
else:
    AnyGrader = Annotated[reduce(or_, [*KINDS.values(), OF_SCORERS]), BeforeValidator(read_entry)]
    AnyScorer = Annotated[reduce(or_, [*TYPES.values(), OF_PACKAGES]), BeforeValidator(read_scorer)]
    AnyBenchmark = Annotated[BenchmarkConfig | TaskBenchmark, BeforeValidator(read_benchmark)]


def _folder_or_bucket(value: str) -> str:
    if not is_location(value):
        raise ValueError(f"give {ACCEPTED}")
    return value


def own_rubric(name: str) -> str:
    """What the prompt of a grader's own is called among the rubrics: no name of a template."""
    return f"graders.{name}.scorer"


Location = Annotated[str, Field(min_length=1), AfterValidator(_folder_or_bucket)]


class StudySections(Section):
    """All sections of a study, each by itself: what they must be to each other is in `rules`."""

    study: str = Field(
        pattern=STUDY_NAME, description="its name, and its results folder", examples=["my_study"]
    )
    output_dir: Location = Field(
        default="studies", description="where results go: a folder, or s3://bucket/prefix"
    )
    prompts_dir: str = Field(
        default="prompts", description="the folder of prompts: <prompts_dir>/solver/NAME.md"
    )
    rubrics_dir: str = Field(
        default="rubrics", description="the folder of rubrics: <rubrics_dir>/NAME.md"
    )
    cache: bool = Field(default=True, description="use the response cache of inspect_ai")
    benchmark: AnyBenchmark = Field(description="the items")
    solvers: SolversConfig = Field(description="the models that answer, and how they are asked")
    facets: FacetsConfig = Field(description="the design: each combination is a condition")
    graders: dict[str, AnyGrader] = Field(
        default_factory=dict, description="judges and raters, each under a name of yours"
    )
    scorers: dict[str, AnyScorer] = Field(
        default_factory=dict, description="own scorers, each under a name of yours"
    )
    rubrics: dict[str, RubricConfig] = Field(
        default_factory=dict,
        description="rubrics of which a model writes one for each item, each under a name of yours",
    )
    waves: list[Wave] = Field(
        default_factory=list,
        description="times at which all models are asked again; `run --wave NAME` adds one",
    )
    rejudges: list[Wave] = Field(
        default_factory=list,
        description="times at which judges grade the first answers again; `run --rejudge NAME` "
        "adds one",
    )
    crossing: Literal["full"] = Field(
        default="full", description="which combinations of the facets are conditions: all"
    )
    budget: BudgetConfig = Field(default_factory=BudgetConfig, description="what may be spent")
    measurement: MeasurementConfig = Field(
        default_factory=MeasurementConfig, description="how figures are estimated"
    )
    precision: PrecisionConfig | None = Field(
        default=None, description="how precise a run must be; null: it takes all items"
    )
    seal: SealConfig | None = Field(
        default=None, description="what is claimed before the calls, and what decides it"
    )
    gate: GateConfig | None = Field(
        default=None, description="which difference is too bad; null: `gate` asks for it"
    )
    automation: AutomationConfig = Field(
        default_factory=AutomationConfig, description="what happens by itself"
    )

    def grader(self, name: str) -> GraderConfig:
        """What a `facets.grader` entry means: a key of `graders`, or a bare model id."""
        return self.graders.get(name) or model_as_grader(name)

    def rubrics_of(self, name: str) -> list[str]:
        """What `facets.grader` and `facets.rubric` cross for one grader: templates by name."""
        return [own_rubric(name)] if self.grader(name).own_prompt else self.facets.rubric

    @property
    def rubrics_in_use(self) -> list[str]:
        """The rubrics of the facet, if a grader takes them."""
        entries = map(self.grader, self.facets.grader)
        return [] if all(entry.own_prompt for entry in entries) else self.facets.rubric

    @property
    def scorers_in_use(self) -> list[str]:
        """The scorers that a facet names, or a judge that a facet names, each once."""
        first = (self.grader(name).first_scorer for name in self.facets.grader)
        return list(dict.fromkeys([*self.facets.scorers, *filter(None, first)]))

    def as_yaml_dict(self) -> dict[str, Any]:
        """The full parsed config under its YAML key names, ready for JSON."""
        found = self.model_dump(mode="json", by_alias=True)
        for name in ("gate", "precision", "rubrics"):
            if not getattr(self, name):
                del found[name]
        # What is refused beside other keys is no default.
        if self.benchmark.ref:
            del found["facets"]["prompt"]
        if self.facets.grader and not self.rubrics_in_use:
            del found["facets"]["rubric"]
        del found["solvers"]["models" if self.solvers.sample else "sample"]
        return found
