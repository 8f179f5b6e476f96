"""The lines of the YAML that make a design."""

from collections.abc import Iterator
from typing import Any

import yaml

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.study import Study

from .costs import StudyCosts

__all__ = ["as_lines", "lines_of_design", "words_on_items"]


def lines_of_design(
    study: Study, judge: GradeCondition, design: tuple[int, int, int], costs: StudyCosts
) -> list[str]:
    """What is to be written, and nothing that is so already."""
    items, replications, repeats = design
    config, found = study.config, dict[str, Any]()
    sample = config.benchmark.sample
    if items != costs.n_items and items <= costs.population:
        seed = sample.seed if sample else 0
        by = {"by": sample.by} if sample and sample.by else {}
        found["benchmark"] = {"sample": {"n": items, "seed": seed, **by}}
    if replications != config.facets.replications:
        found["facets"] = {"replications": replications}
    name = judge.grader.name
    if name in config.graders and repeats != getattr(config.graders[name], "repeats", 1):
        found["graders"] = {name: {"repeats": repeats}}
    if config.budget.policy == "dev":
        found["budget"] = {"policy": "full-interactive"}
    return as_lines(found)


def words_on_items(study: Study, items: int, population: int) -> Iterator[str]:
    """What to know of more items than the data have."""
    if items <= population:
        return
    limited = any(dataset.limit for dataset in study.config.benchmark.datasets)
    yield (
        f"The data have {population:,} items: {items - population:,} more are needed"
        + ("; benchmark.datasets limits how many are read." if limited else ".")
    )


def as_lines(found: dict[str, Any]) -> list[str]:
    """One line for each section, as a person would write it."""
    return [f"{key}: {_flow(value)}" for key, value in found.items()]


def _flow(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).strip()
