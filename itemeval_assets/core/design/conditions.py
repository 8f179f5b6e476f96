"""Conditions: the levels of the design, with ids derived from their content.

A condition id is `<slug>--<first 12 hex of sha256(canonical JSON of its payload)>`.
For the same YAML and template text, generate and verifiable ids equal those of
`itemeval`. The number of replications is never part of an id.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from itemeval_assets.core.config.sections import MappingConfig, ModelConfigFacet, SolversConfig
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import Program, Source
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.prompts.chats import stored_turns
from itemeval_assets.core.prompts.prompts import Item, Prompt, filled_in, solver_values
from itemeval_assets.core.prompts.templates import Template, columns_in
from itemeval_assets.core.text.labels import Part, pair_label, unique_labels

from .partitions import GENERATE, Partition
from .template_rules import doubts, require_templates

GRADER_COLUMNS = (
    *("grader_name", "grader_model", "rubric_name", "rubric_hash"),
    *("scorer_name", "scorer_version"),
)


@dataclass(frozen=True)
class GenerateCondition:
    """One model x prompt x model_config. `params` holds only the sampling settings that are set.

    `columns`: the metadata columns that its prompt names. `takes_chats`: the items are chats.
    `shows_images`: they have images.
    """

    id: str
    slug: str
    payload: dict[str, Any]
    model: str
    model_config_name: str
    prompt: Template
    params: dict[str, Any]
    split_prompt: bool
    columns: tuple[str, ...] = ()
    takes_chats: bool = False
    shows_images: bool = False
    label: str = ""

    @cached_property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of."""
        name = self.model_config_name
        return (
            Part(self.model.split("/")[-1], self.model),
            Part(self.prompt.short_name, self.prompt.name),
            Part("" if name == "default" else name, name),
        )

    def prompt_for(self, item: Item) -> Prompt:
        """The prompt of one item, the same for all its replications.

        Reads item_id and input, and metadata_json where the prompt names columns.
        """
        values = solver_values(item, self.columns)
        chat = stored_turns(item["input"]) if self.takes_chats else ()
        prompt = filled_in(self.prompt, "input", values, self.split_prompt, chat)
        return prompt._replace(shared=len(prompt.text))


@dataclass(frozen=True)
class GradeCondition:
    """One way to grade: a scorer, or a judge with one rubric, or one of its repeats.

    `first_id` is that of the first repeat, and so the same for all of them.
    """

    id: str
    slug: str
    payload: dict[str, Any]
    grader: Grader
    first_id: str
    label: str = ""

    @cached_property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of. The first repeat is called as a judge without repeats is."""
        repeat = f"repeat {self.grader.repeat}" if self.grader.repeat > 1 else ""
        return (*self.grader.label_parts, Part(repeat, repeat))

    @property
    def columns(self) -> dict[str, str | None]:
        """What all its rows share, under the names of gradings."""
        return {
            "grade_condition_id": self.id,
            "grade_condition_slug": self.slug,
            "grade_kind": self.grader.kind,
            **{name: self.grader.columns.get(name) for name in GRADER_COLUMNS},
        }


@dataclass(frozen=True)
class Design:
    """The full grid of a study, in the order of the YAML.

    `doubts`: what may be wrong in its templates, in words.
    """

    generate: tuple[GenerateCondition, ...]
    grade: tuple[GradeCondition, ...]
    doubts: tuple[str, ...] = ()

    @cached_property
    def generate_by_id(self) -> dict[str, GenerateCondition]:
        return {condition.id: condition for condition in self.generate}

    @cached_property
    def grade_by_id(self) -> dict[str, GradeCondition]:
        return {condition.id: condition for condition in self.grade}

    def model_of(self, partition: Partition) -> str | None:
        """The model that a partition calls; null where it is graded without a call."""
        if partition.stage is GENERATE:
            return self.generate_by_id[partition.generate].model
        call = self.grade_by_id[partition.grade].grader.call
        return call.model if call else None

    def is_free(self, partition: Partition) -> bool:
        """Whether a partition is graded without a call."""
        return partition.grade in self._free

    @cached_property
    def _free(self) -> frozenset[str]:
        return frozenset(condition.id for condition in self.grade if not condition.grader.call)

    def rules_version(self, partition: Partition) -> str | None:
        """The version of the rules that grade a partition; null for judges, and where unknown."""
        condition = self.grade_by_id.get(partition.grade)
        return condition.grader.version if condition else None

    @property
    def programs(self) -> list[Program]:
        """The code of others that grades."""
        return [found for condition in self.grade if (found := condition.grader.program)]

    @property
    def grading_models(self) -> dict[str, str]:
        """The models that its graders call, and the YAML path that names each first."""
        found: dict[str, str] = {}
        for condition in self.grade:
            if call := condition.grader.call:
                found.setdefault(call.model, call.where)
        return found

    @property
    def rubrics(self) -> list[Template]:
        """The templates that its graders fill in, once for each condition."""
        return [found for condition in self.grade if (found := condition.grader.template)]

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
        generate, grade = self.generate_by_id[generate_id], self.grade_by_id[grade_id]
        return {
            "model": generate.model,
            "prompt_name": generate.prompt.name,
            "prompt_hash": generate.prompt.hash,
            "model_config_name": generate.model_config_name,
            "gen_condition_id": generate.id,
            **grade.columns,
        }


def expand_design(
    config: StudyConfig,
    prompts: Mapping[str, Template],
    rubrics: Mapping[str, Template],
    sources: Mapping[str, Source] | None = None,
) -> Design:
    """Cross the facets, and give each condition a label that no other has.

    `sources`: what was read of the code of own scorers, by their names.
    Raises TemplateError for a missing placeholder, ConfigError for two equal ids.
    """
    require_templates(config, prompts, rubrics)
    generate = tuple(
        _generate_condition(config, model, prompts[prompt], facet)
        for model in config.solvers.models
        for prompt in config.facets.prompt
        for facet in config.facets.model_config_facet
    )
    grade = tuple(map(_grade_condition, _graders(config, rubrics, sources or {})))
    design = Design(generate, grade, tuple(doubts(config, prompts, rubrics)))
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
    config: StudyConfig, model: str, prompt: Template, facet: ModelConfigFacet
) -> GenerateCondition:
    solvers, params = config.solvers, _sampling_params(config.solvers, facet)
    mapping = config.benchmark.mapping
    columns = columns_in(prompt, mapping.kept)
    payload: dict[str, Any] = {
        "kind": "generate",
        "model": model,
        "model_config": {"name": facet.name, "params": params},
        "prompt": {"name": prompt.name, "hash": prompt.hash},
    }
    if named := [name for name in columns if name in mapping.metadata]:
        payload["prompt"]["columns"] = named
    if mapping.choices:
        payload["choices"] = _choices_payload(mapping)
    if mapping.chat:
        payload["input"] = "chat"
    if mapping.images:
        payload["images"] = mapping.images
    if solvers.split_prompt or prompt.is_chat:
        payload["layout"] = "turns" if prompt.is_chat else "split"
    id, slug = condition_id([model.rsplit("/", maxsplit=1)[-1], prompt.name, facet.name], payload)
    return GenerateCondition(
        id=id,
        slug=slug,
        payload=payload,
        model=model,
        model_config_name=facet.name,
        prompt=prompt,
        params=params,
        split_prompt=solvers.split_prompt,
        columns=columns,
        takes_chats=bool(mapping.chat),
        shows_images=bool(mapping.images),
    )


def _choices_payload(mapping: MappingConfig) -> dict[str, Any]:
    """What decides which letter stands for which choice, and which letter is right."""
    identity = {
        "columns": mapping.choices,
        "target_is": mapping.target_is,
        "shuffle": mapping.shuffle_choices,
    }
    return {key: value for key, value in identity.items() if value is not None}


def _sampling_params(solvers: SolversConfig, facet: ModelConfigFacet) -> dict[str, Any]:
    """The settings that are set: the facet's own over those of all solvers."""
    shared = solvers.model_dump(include={"temperature", "top_p", "max_tokens", "seed"})
    own = facet.model_dump(exclude={"name"}, exclude_none=True)
    return {name: value for name, value in {**shared, **own}.items() if value is not None}


def _graders(
    config: StudyConfig, rubrics: Mapping[str, Template], sources: Mapping[str, Source]
) -> Iterator[Grader]:
    """Everything that grades: scorers, then what the graders stand for."""
    facets = config.facets
    for name in facets.scorers:
        own = config.scorers.get(name)
        yield own.scorer(name, sources.get(name)) if own else SCORERS[name]
    for name in facets.grader:
        yield from config.grader(name).graders(name, [rubrics[rubric] for rubric in facets.rubric])


def _grade_condition(grader: Grader) -> GradeCondition:
    payload = {"kind": "grade", **grader.payload}
    id, slug = first_id, _ = condition_id(grader.slug_parts, payload)
    if grader.repeat > 1:
        payload["repeat"] = grader.repeat
        id, slug = condition_id(grader.slug_parts, payload)
    return GradeCondition(id, slug, payload, grader, first_id)


def _labelled(design: Design) -> Design:
    conditions = (*design.generate, *design.grade)
    labels = iter(
        unique_labels(
            [condition.label_parts for condition in conditions],
            [condition.id.rpartition("--")[2] for condition in conditions],
        )
    )
    return replace(
        design,
        generate=tuple(replace(one, label=next(labels)) for one in design.generate),
        grade=tuple(replace(one, label=next(labels)) for one in design.grade),
    )


def _refuse_equal_ids(design: Design) -> None:
    ids = [condition.id for condition in (*design.generate, *design.grade)]
    repeated = sorted(id for id, count in Counter(ids).items() if count > 1)
    if repeated:
        raise ConfigError(f"two conditions of the design have the same id: {', '.join(repeated)}")
