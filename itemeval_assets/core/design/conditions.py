"""Conditions: the levels of the design, with ids derived from their content.

A condition id is `<slug>--<first 12 hex of sha256(canonical JSON of its payload)>`.
For the same YAML and template text, generate and verifiable ids equal those of
`itemeval`. The number of replications is never part of an id.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from itemeval_assets.core.config.sections import (
    GraderConfig,
    ModelConfigFacet,
    SolversConfig,
    StudyConfig,
)
from itemeval_assets.core.config.templates import Template, require_placeholders
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.judge_reply import JUDGE_FORMAT_VERSION

from .labels import Part, pair_label, unique_labels

__all__ = [
    "Design",
    "GenerateCondition",
    "GradeCondition",
    "canonical_json",
    "condition_id",
    "expand_design",
]

GRADE_JUDGE = "judge"
GRADE_VERIFIABLE = "verifiable"


@dataclass(frozen=True)
class GenerateCondition:
    """One model x prompt x model_config. `params` holds only the sampling settings that are set."""

    id: str
    slug: str
    payload: dict[str, Any]
    model: str
    model_config_name: str
    prompt: Template
    params: dict[str, Any]
    split_prompt: bool
    label: str = ""

    @property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of."""
        name = self.model_config_name
        return (
            Part(self.model.split("/")[-1], self.model),
            Part(self.prompt.short_name, self.prompt.name),
            Part("" if name == "default" else name, name),
        )


@dataclass(frozen=True)
class GradeCondition:
    """One scorer, or one grader x rubric. `kind` is `judge` or `verifiable`."""

    id: str
    slug: str
    payload: dict[str, Any]
    kind: str
    scorer: str | None = None
    grader_name: str | None = None
    grader: GraderConfig | None = None
    rubric: Template | None = None
    label: str = ""

    @property
    def name(self) -> str:
        """The scorer's name, or the grader's."""
        return self.scorer or self.grader_name or ""

    @property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of."""
        is_model = self.grader is not None and self.grader.model == self.name
        named = Part(self.name.split("/")[-1] if is_model else self.name, self.name)
        if self.rubric is None:
            return (named,)
        return named, Part(self.rubric.short_name, self.rubric.name)


@dataclass(frozen=True)
class Design:
    """The full grid of a study, in the order of the YAML."""

    generate: tuple[GenerateCondition, ...]
    grade: tuple[GradeCondition, ...]

    def generate_by_id(self) -> dict[str, GenerateCondition]:
        return {condition.id: condition for condition in self.generate}

    def grade_by_id(self) -> dict[str, GradeCondition]:
        return {condition.id: condition for condition in self.grade}

    @cached_property
    def labels(self) -> dict[str, str]:
        """{id: label} of all conditions."""
        return {condition.id: condition.label for condition in (*self.generate, *self.grade)}

    def labels_of(self, partition: Iterable[str]) -> tuple[str, ...]:
        """The label of each condition of a partition; the id of one that is not in the design."""
        return tuple(self.labels.get(id, id) for id in partition)

    def label_of(self, partition: Iterable[str]) -> str:
        """What a partition is called."""
        return pair_label(self.labels_of(partition))

    def columns_of(self, generate_id: str, grade_id: str) -> dict[str, str | None]:
        """What all cells of a pair of conditions share, under the names of gradings_long."""
        generate, grade = self.generate_by_id()[generate_id], self.grade_by_id()[grade_id]
        return {
            "model": generate.model,
            "prompt_name": generate.prompt.name,
            "prompt_hash": generate.prompt.hash,
            "model_config_name": generate.model_config_name,
            "gen_condition_id": generate.id,
            "grade_condition_id": grade.id,
            "grade_kind": grade.kind,
            "grader_name": grade.grader_name,
            "grader_model": grade.grader.model if grade.grader else None,
            "rubric_name": grade.rubric.name if grade.rubric else None,
            "rubric_hash": grade.rubric.hash if grade.rubric else None,
            "scorer_name": grade.scorer,
        }


def expand_design(
    config: StudyConfig, prompts: Mapping[str, Template], rubrics: Mapping[str, Template]
) -> Design:
    """Cross the facets, and give each condition a label that no other has.

    Raises TemplateError for a missing placeholder, ConfigError for two equal ids.
    """
    for template in prompts.values():
        require_placeholders(template, ("input",))
    for template in rubrics.values():
        require_placeholders(template, ("input", "solution"))
    generate = tuple(
        _generate_condition(config.solvers, model, prompts[prompt], facet)
        for model in config.solvers.models
        for prompt in config.facets.prompt
        for facet in config.facets.model_config_facet
    )
    verifiable = tuple(_verifiable_condition(scorer) for scorer in config.facets.scorers)
    judges = tuple(
        _judge_condition(name, config.grader(name), rubrics[rubric])
        for name in config.facets.grader
        for rubric in config.facets.rubric
    )
    design = Design(generate, verifiable + judges)
    _refuse_equal_ids(design)
    return _labelled(design)


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, UTF-8 unescaped: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def condition_id(parts: list[str], payload: dict[str, Any]) -> tuple[str, str]:
    """(`<slug>--<digest>`, slug) for the readable parts and the identifying payload."""
    slug = "_".join(_slug(part) for part in parts)
    digest = hashlib.sha256(canonical_json(payload).encode()).hexdigest()[:12]
    return f"{slug}--{digest}", slug


def _slug(text: str, longest: int = 24) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:longest].strip("-") or "x"


def _generate_condition(
    solvers: SolversConfig, model: str, prompt: Template, facet: ModelConfigFacet
) -> GenerateCondition:
    params = _sampling_params(solvers, facet)
    payload: dict[str, Any] = {
        "kind": "generate",
        "model": model,
        "model_config": {"name": facet.name, "params": params},
        "prompt": {"name": prompt.name, "hash": prompt.hash},
    }
    if solvers.split_prompt:
        payload["layout"] = "split"
    id, slug = condition_id([model.rsplit("/", maxsplit=1)[-1], prompt.name, facet.name], payload)
    return GenerateCondition(
        id, slug, payload, model, facet.name, prompt, params, solvers.split_prompt
    )


def _sampling_params(solvers: SolversConfig, facet: ModelConfigFacet) -> dict[str, Any]:
    """The settings that are set: the facet's own over those of all solvers."""
    shared = solvers.model_dump(include={"temperature", "top_p", "max_tokens", "seed"})
    own = facet.model_dump(exclude={"name"}, exclude_none=True)
    return {name: value for name, value in {**shared, **own}.items() if value is not None}


def _verifiable_condition(scorer: str) -> GradeCondition:
    payload = {"kind": "grade", "scorer": scorer}
    id, slug = condition_id(["scorer", scorer], payload)
    return GradeCondition(id, slug, payload, GRADE_VERIFIABLE, scorer=scorer)


def _judge_condition(name: str, grader: GraderConfig, rubric: Template) -> GradeCondition:
    identity = {
        "name": name,
        "model": grader.model,
        "temperature": 0.0,
        "max_tokens": grader.max_tokens,
        "reasoning_effort": grader.reasoning_effort,
    }
    payload: dict[str, Any] = {
        "kind": "grade",
        "grader": {key: value for key, value in identity.items() if value is not None},
        "rubric": {"name": rubric.name, "hash": rubric.hash},
        "format": JUDGE_FORMAT_VERSION,
    }
    if grader.structured:
        payload["structured"] = True
    if grader.split_rubric:
        payload["layout"] = "split"
    id, slug = condition_id([name, rubric.name], payload)
    return GradeCondition(
        id, slug, payload, GRADE_JUDGE, grader_name=name, grader=grader, rubric=rubric
    )


def _labelled(design: Design) -> Design:
    conditions = (*design.generate, *design.grade)
    labels = iter(
        unique_labels(
            [condition.label_parts for condition in conditions],
            [condition.id.rpartition("--")[2] for condition in conditions],
        )
    )
    return Design(
        tuple(replace(condition, label=next(labels)) for condition in design.generate),
        tuple(replace(condition, label=next(labels)) for condition in design.grade),
    )


def _refuse_equal_ids(design: Design) -> None:
    ids = [condition.id for condition in (*design.generate, *design.grade)]
    repeated = sorted(id for id, count in Counter(ids).items() if count > 1)
    if repeated:
        raise ConfigError(f"two conditions of the design have one id: {', '.join(repeated)}")
