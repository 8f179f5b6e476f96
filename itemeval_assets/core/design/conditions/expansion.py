"""From the facets of a study to its conditions: crossed, each with an id and a label of its own."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from itemeval_assets.core.config.sections import (
    MappingConfig,
    ModelConfigFacet,
    SolversConfig,
    WaveConfig,
)
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.asked_scales import doubts_of_scales
from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.kinds import OF_TASKS, SCORERS
from itemeval_assets.core.prompts.templates import Template, columns_in
from itemeval_assets.core.tasks.lock import TaskLock
from itemeval_assets.core.text.labels import unique_labels

from .conditions import Design, GenerateCondition, GradeCondition
from .ids import condition_id
from .rubrics import RubricCondition, rubric_condition, written_with
from .template_rules import doubts, require_templates


def expand_design(
    config: StudyConfig,
    prompts: Mapping[str, Template],
    rubrics: Mapping[str, Template],
    sources: Mapping[str, Source] | None = None,
    task: TaskLock | None = None,
    models: Sequence[str] | None = None,
) -> Design:
    """Cross the facets, and give each condition a label that no other has.

    `sources`: what was read of the code of own scorers, by their names. `task`: what is known of
    the task, which stands in the place of the prompts. `models`: those that
    answer, if not those that the config names.
    Raises TemplateError for a missing placeholder, ConfigError for two equal ids.
    """
    require_templates(config, prompts, rubrics, task)
    generate = tuple(
        _generate_condition(config, model, prompt, facet, wave)
        for wave in (None, *config.waves)
        for model in (config.solvers.models if models is None else models)
        for prompt in _prompts(config, prompts)
        for facet in config.facets.model_config_facet
    )
    written = _written_rubrics(config, rubrics)
    graders = [
        *_graders(config, rubrics, sources or {}, written),
        *(OF_TASKS(task) if task else ()),
    ]
    if not graders:
        raise ConfigError(
            "facets: the task has no scorer whose values are known before it runs; name at least "
            "one grader (a judge) or one scorer"
        )
    grade = tuple(
        grade_condition(grader, rejudge)
        for rejudge in (None, *config.rejudges)
        for grader in graders
        if grader.asked or rejudge is None
    )
    has_schemes = config.benchmark.mapping.grading_scheme is not None
    told = (
        *doubts(config, prompts, rubrics, task),
        *doubts_of_scales(graders, has_schemes=has_schemes),
    )
    design = Design(generate, grade, told, tuple(written.values()))
    _refuse_equal_ids(design)
    return _labelled(design)


def _prompts(config: StudyConfig, prompts: Mapping[str, Template]) -> list[Template]:
    """The templates that the facet names, or what stands in their place where a task answers."""
    task = config.benchmark.ref
    return [prompts[name] for name in ([task.word] if task else config.facets.prompt)]


def _generate_condition(
    config: StudyConfig,
    model: str,
    prompt: Template,
    facet: ModelConfigFacet,
    wave: WaveConfig | None,
) -> GenerateCondition:
    params = _sampling_params(config.solvers, facet)
    task, mapping = config.benchmark.ref, config.benchmark.mapping
    columns = () if task else columns_in(prompt, mapping.kept)
    payload = {
        "kind": "generate",
        "model": model,
        "model_config": {"name": facet.name, "params": params},
        **({"task": task.payload} if task else _prompt_payload(config, prompt, columns)),
    }
    name = task.short if task else prompt.name
    parts = [model.rsplit("/", maxsplit=1)[-1], name, facet.name]
    id, slug = first_id, _ = condition_id(parts, payload)
    if wave:
        payload["wave"] = wave.name
        id, slug = condition_id([*parts, wave.name], payload)
    return GenerateCondition(
        id=id,
        slug=slug,
        payload=payload,
        model=model,
        model_config_name=facet.name,
        prompt=prompt,
        params=params,
        split_prompt=config.solvers.split_prompt,
        columns=columns,
        takes_chats=bool(mapping.chat),
        shows_images=bool(mapping.images),
        task=task,
        wave=wave,
        first_id=first_id,
    )


def _prompt_payload(
    config: StudyConfig, prompt: Template, columns: Sequence[str]
) -> dict[str, Any]:
    """What decides what a model is shown. A key that a study does not use changes no id."""
    mapping = config.benchmark.mapping
    payload: dict[str, Any] = {"prompt": {"name": prompt.name, "hash": prompt.hash}}
    if named := [name for name in columns if name in mapping.metadata]:
        payload["prompt"]["columns"] = named
    if mapping.choices:
        payload["choices"] = _choices_payload(mapping)
    if mapping.chat:
        payload["input"] = "chat"
    if mapping.images:
        payload["images"] = mapping.images
    if config.solvers.split_prompt or prompt.is_chat:
        payload["layout"] = "turns" if prompt.is_chat else "split"
    return payload


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


def _written_rubrics(
    config: StudyConfig, rubrics: Mapping[str, Template]
) -> dict[str, RubricCondition]:
    """The rubrics of the facet that models write, by name; none where no judge takes them."""
    takes = [name for name in config.facets.grader if not config.grader(name).own_prompt]
    names = [name for name in config.rubrics_in_use if takes and name in config.rubrics]
    return {
        name: rubric_condition(name, config.rubrics[name], rubrics[written_with(name)])
        for name in names
    }


def _graders(
    config: StudyConfig,
    rubrics: Mapping[str, Template],
    sources: Mapping[str, Source],
    written: Mapping[str, RubricCondition],
) -> Iterator[Grader]:
    """Everything that grades: scorers, then what the graders stand for."""
    facets, scorers = config.facets, dict[str, Grader]()
    for name in config.scorers_in_use:
        own = config.scorers.get(name)
        scorers[name] = own.scorer(name, sources.get(name)) if own else SCORERS[name]
    yield from (scorers[name] for name in facets.scorers)
    for name in facets.grader:
        entry = config.grader(name)
        graders = entry.graders(name, [rubrics[one] for one in config.rubrics_of(name)])
        first = entry.first_scorer
        for one in graders:
            found = one.following(scorers[first]) if first else one
            rubric = written.get(one.template.name) if one.template else None
            yield found.grading_by(rubric.id, rubric.identity) if rubric else found


def grade_condition(grader: Grader, rejudge: WaveConfig | None = None) -> GradeCondition:
    """The condition of a grader, without a label, which depends on all others."""
    payload, parts = {"kind": "grade", **grader.payload}, [*grader.slug_parts]
    first_id, _ = condition_id(parts, payload)
    if grader.repeat > 1:
        payload["repeat"] = grader.repeat
    if rejudge:
        payload["wave"] = rejudge.name
        parts.append(rejudge.name)
    id, slug = condition_id(parts, payload)
    total = grader.criterion and grade_condition(grader.criterion.total, rejudge).id
    return GradeCondition(id, slug, payload, grader, first_id, rejudge, total)


def _labelled(design: Design) -> Design:
    conditions = (*design.generate, *design.written, *design.grade)
    labels = iter(
        unique_labels(
            [condition.label_parts for condition in conditions],
            [condition.id.rpartition("--")[2] for condition in conditions],
        )
    )
    return replace(
        design,
        generate=tuple(replace(one, label=next(labels)) for one in design.generate),
        written=tuple(replace(one, label=next(labels)) for one in design.written),
        grade=tuple(replace(one, label=next(labels)) for one in design.grade),
    )


def _refuse_equal_ids(design: Design) -> None:
    ids = [condition.id for condition in (*design.generate, *design.written, *design.grade)]
    repeated = sorted(id for id, count in Counter(ids).items() if count > 1)
    if repeated:
        raise ConfigError(f"two conditions of the design have the same id: {', '.join(repeated)}")
