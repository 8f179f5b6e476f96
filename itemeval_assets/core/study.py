"""A study as it was loaded: the config, its design, and where its results go."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .conditions import Design
from .config import StudyConfig

__all__ = ["GENERATE", "GRADE", "Partition", "RunPlan", "Study", "run_plan", "stage_of"]

GENERATE, GRADE = "generate", "grade"

# (gen_condition_id,) when generating; (gen_condition_id, grade_condition_id) when grading.
Partition = tuple[str, ...]


def stage_of(partition: Partition) -> str:
    return GENERATE if len(partition) == 1 else GRADE


@dataclass(frozen=True)
class Study:
    """Everything the YAML and its templates say. Loading one reads no dataset and no network."""

    config: StudyConfig
    design: Design
    config_path: Path
    config_sha256: str
    study_dir: Path

    @property
    def name(self) -> str:
        return self.config.study

    @property
    def config_dir(self) -> Path:
        return self.config_path.parent

    def generate_partitions(self) -> list[Partition]:
        return [(condition.id,) for condition in self.design.generate]

    def grade_partitions(self) -> list[Partition]:
        return [
            (generate.id, grade.id)
            for generate in self.design.generate
            for grade in self.design.grade
        ]


class RunPlan(NamedTuple):
    """How much of the design a run covers. `items_limit` null: all items."""

    policy: str
    items_limit: int | None
    replications: int
    batch: bool | int | None


def run_plan(config: StudyConfig, policy: str | None = None) -> RunPlan:
    """The effective policy: `policy` if given, else the one of the config.

    `dev` covers the first `dev_items` items without batch mode; the two full policies
    cover everything, and `full-batch` turns `batch: auto` on.
    """
    budget, replications = config.budget, config.facets.replications
    policy = policy or budget.policy
    if policy == "dev":
        fewer = min(replications, budget.dev_replications or replications)
        return RunPlan(policy, budget.dev_items, fewer, None)
    batch = (policy == "full-batch") if budget.batch == "auto" else budget.batch
    return RunPlan(policy, None, replications, batch or None)
