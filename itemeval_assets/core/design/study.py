"""A study as it was loaded: the config, its design, and where its results go."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, get_args

from itemeval_assets.core.config.policies import Policy
from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.core.text.locations import scheme_of

from .conditions.conditions import Design
from .conditions.expansion import expand_design
from .drawn_models import models_of, words_on_sample
from .partitions import GENERATE, GRADE, RUBRIC, NamedPartition, Partition, Stage
from .precise import require_possible

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Study:
    """Everything the YAML and its templates say, at the moment of its snapshot.

    Loading one reads no dataset and no network. `location` is the study directory: an absolute
    path, or an `s3://` URI.
    """

    config: StudyConfig
    design: Design
    snapshot: Snapshot

    @property
    def name(self) -> str:
        return self.config.study

    @property
    def location(self) -> str:
        return self.snapshot.location

    @property
    def config_path(self) -> Path:
        return Path(self.snapshot.config_path)

    @property
    def config_sha256(self) -> str:
        return self.snapshot.config_sha256

    @property
    def config_dir(self) -> Path:
        return self.config_path.parent

    @property
    def models(self) -> list[str]:
        """The models that answer: named in the YAML, or drawn."""
        return list(dict.fromkeys(condition.model for condition in self.design.generate))

    @property
    def called_models(self) -> list[str]:
        """The models that answer, and those that grade."""
        others = (*self.design.writing_models, *self.design.grading_models)
        return list(dict.fromkeys([*self.models, *others]))

    @property
    def models_key(self) -> str:
        """The key of the YAML that they come from."""
        return "solvers.sample" if self.config.solvers.sample else "solvers.models"

    @property
    def model_sample(self) -> str | None:
        """How the models were drawn, in words; null where the YAML names them."""
        sample, roster = self.config.solvers.sample, self.snapshot.roster
        return words_on_sample(sample, roster) if sample and roster else None

    @property
    def metadata_columns(self) -> list[str]:
        """What is kept with each item, by name."""
        task = self.snapshot.task
        return list(task.metadata) if task else self.config.benchmark.mapping.metadata

    @property
    def is_remote(self) -> bool:
        """Whether the study lies in a bucket."""
        return scheme_of(self.location) is not None

    def uri(self, key: str) -> str:
        """Where something of the study lies: a path of this machine, or an `s3://` URI."""
        return f"{self.location}/{key}"

    def named(self, partitions: Iterable[Partition]) -> list[NamedPartition]:
        """These partitions with their labels; of a condition out of the design, its id."""
        return [NamedPartition(part, self.design.label_of(part)) for part in partitions]

    def generate_partitions(self) -> list[Partition]:
        return [Partition((condition.id,)) for condition in self.design.generate]

    def rubric_partitions(self) -> list[Partition]:
        return [Partition((condition.id,)) for condition in self.design.written]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages whose rows are cells of the study, in the order of a run."""
        return (GENERATE, RUBRIC, GRADE) if self.design.written else (GENERATE, GRADE)

    def partitions_of(self, stage: Stage) -> list[Partition]:
        """The partitions of one stage, in the order of the design."""
        found = {
            GENERATE: self.generate_partitions,
            RUBRIC: self.rubric_partitions,
            GRADE: self.grade_partitions,
        }
        return found[stage]()

    def partitions(self) -> list[Partition]:
        """The partitions of all stages, one stage after the other."""
        return [part for stage in self.stages for part in self.partitions_of(stage)]

    def grade_partitions(self) -> list[Partition]:
        return [
            Partition((generate.id, grade.id))
            for generate in self.design.generate
            for grade in self.design.grade
            if self.design.crosses(generate, grade)
        ]


def study_of(snapshot: Snapshot, config: StudyConfig | None = None) -> Study:
    """The study that a snapshot holds; `config`: what its YAML says, where that is known.

    Raises ConfigError or TemplateError for what is wrong.
    """
    path = snapshot.config_path
    text = snapshot.config.removeprefix(BYTE_ORDER_MARK)
    roster = snapshot.roster
    config = config or parse_config(text, path, snapshot.replaced, snapshot.packaged)
    try:
        design = expand_design(
            config,
            snapshot.prompts,
            snapshot.rubrics,
            snapshot.scorers,
            snapshot.task,
            models_of(config.solvers, roster),
        )
        if config.precision:
            require_possible(design, config.precision)
    except ItemevalAssetsError as error:
        raise type(error)(f"{path}: {error}") from error
    if roster and roster.change:
        design = replace(design, doubts=(roster.change, *design.doubts))
    return Study(config, design, snapshot)


class RunPlan(NamedTuple):
    """How much of the design a run covers. `items_limit` null: all items."""

    policy: str
    items_limit: int | None
    replications: int
    batch: bool | int | None


def run_plan(config: StudyConfig, policy: str | None = None) -> RunPlan:
    """The effective policy: `policy` if given, else the one of the config.

    `dev` covers the first `dev_items` items without batch mode; the two full policies
    cover everything, and `full-batch` turns `batch: auto` on. Raises ConfigError for a policy
    that there is not.
    """
    budget, replications = config.budget, config.facets.replications
    wanted = budget.policy if policy is None else policy
    known = get_args(Policy)
    if wanted not in known:
        raise ConfigError(f"there is no policy {str(wanted)!r}; there are: {', '.join(known)}")
    chosen: str = known[known.index(wanted)]  # the plain word, where an enum means it
    if chosen == "dev":
        fewer = min(replications, budget.dev_replications or replications)
        return RunPlan(chosen, budget.dev_items, fewer, None)
    batch = (chosen == "full-batch") if budget.batch == "auto" else budget.batch
    return RunPlan(chosen, None, replications, batch or None)
