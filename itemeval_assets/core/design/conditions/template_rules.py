"""What the templates of a study must hold, for its items and its settings."""

from collections.abc import Iterator, Mapping

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.prompts.choices import CHOICES
from itemeval_assets.core.prompts.criteria import body_of, criteria_of
from itemeval_assets.core.prompts.doubts import doubts_of_prompt, doubts_of_rubric
from itemeval_assets.core.prompts.templates import (
    Template,
    require_place_for_chat,
    require_placeholders,
    require_turns,
)
from itemeval_assets.core.tasks.doubts import doubts_of_task
from itemeval_assets.core.tasks.lock import TaskLock

from .rubrics import written_with

Templates = Mapping[str, Template]


def require_templates(
    config: StudyConfig, prompts: Templates, rubrics: Templates, task: TaskLock | None
) -> None:
    """Raise TemplateError for a template that lacks a placeholder, or whose turns are wrong.

    A task has its own prompts, of which nothing is known.
    """
    mapping = config.benchmark.mapping
    prompts = {} if config.benchmark.ref else prompts
    needed = ("input", CHOICES) if mapping.choices else ("input",)
    for template in prompts.values():
        require_placeholders(template, needed)
        require_turns(template, config.solvers.split_prompt)
        if mapping.chat:
            require_place_for_chat(template)
        if not mapping.choices:
            _refuse_builtin_of_choices(template)
    for template in _of_facet(config, rubrics):
        own = ("rubric",) if template.name in config.rubrics else ()
        require_placeholders(template, ("input", "solution", *own))
        require_turns(template, _splits_rubrics(config))
    for template in _of_writers(config, rubrics):
        require_placeholders(template, ("input",))
        require_turns(template, False)
        _refuse_solution(template)
    _refuse_criteria_after_a_scorer(config, rubrics)
    for name in config.facets.grader:
        if prompt := config.grader(name).own_prompt:
            [own] = config.rubrics_of(name)
            prompt.require_fitting(name, rubrics[own], task.metadata if task else mapping.kept)


def doubts(
    config: StudyConfig, prompts: Templates, rubrics: Templates, task: TaskLock | None
) -> Iterator[str]:
    """What may be wrong in the templates and their use, or is otherwise in the task, in words."""
    columns = config.benchmark.mapping.kept
    yield from _unused_rubrics(config)
    if task:
        prompts, columns = {}, task.metadata
        yield from doubts_of_task(task, config.facets.replications)
    for template in prompts.values():
        yield from doubts_of_prompt(template, columns)
    for template in _of_facet(config, rubrics):
        own = ("rubric",) if template.name in config.rubrics else ()
        yield from doubts_of_rubric(template, [*columns, *own])
    for template in _of_writers(config, rubrics):
        yield from doubts_of_rubric(template, columns)


def _unused_rubrics(config: StudyConfig) -> Iterator[str]:
    """Whoever names rubrics means a judge to grade by them."""
    for name in config.rubrics:
        if name not in config.rubrics_in_use:
            yield f"rubrics.{name}: facets.rubric does not name it, so no judge grades by it"
    if config.facets.grader or "rubric" not in config.facets.model_fields_set:
        return
    declared = f" (graders has {', '.join(map(repr, config.graders))})" if config.graders else ""
    yield (
        "facets.rubric: no judge grades, so no rubric is used; name a judge in facets.grader"
        f"{declared}, or remove facets.rubric"
    )


def _of_facet(config: StudyConfig, rubrics: Templates) -> list[Template]:
    """What judges are shown of the rubrics that the facet names, without what graders bring along.

    Raises TemplateError for a front matter whose criteria are wrong.
    """
    return [body_of(rubrics[name]) for name in config.rubrics_in_use]


def _of_writers(config: StudyConfig, rubrics: Templates) -> list[Template]:
    """What the models are told that write rubrics of items."""
    names = (name for name in config.rubrics_in_use if name in config.rubrics)
    return [rubrics[written_with(name)] for name in names]


def _refuse_solution(template: Template) -> None:
    """A rubric is written once for an item, before its solutions are graded."""
    if "{solution}" in template.text:
        raise TemplateError(
            f"template {template.name!r} ({template.path}): it has {{solution}}, and a rubric is "
            "written once for all solutions of an item; show it in the grade_template alone"
        )


def _refuse_criteria_after_a_scorer(config: StudyConfig, rubrics: Templates) -> None:
    """A scorer that finds an answer right says nothing of each criterion."""
    for name in config.facets.grader:
        grader = config.grader(name)
        if grader.first_scorer is None or grader.own_prompt:
            continue
        for one in config.rubrics_of(name):
            if criteria := criteria_of(rubrics[one]):
                raise TemplateError(
                    f"graders.{name}.after: {grader.first_scorer} cannot settle the criteria of the"
                    f" rubric {one!r}, {criteria[0].name} and others; remove `after`, or declare a"
                    " judge without it for this rubric"
                )


def _splits_rubrics(config: StudyConfig) -> bool:
    judges = (config.grader(name) for name in config.facets.grader)
    return any(getattr(judge, "split_rubric", False) for judge in judges)


def _refuse_builtin_of_choices(template: Template) -> None:
    """A template of the user may hold any braces; one of the package shows what it names."""
    if template.source == "builtin" and f"{{{CHOICES}}}" in template.text:
        raise TemplateError(
            f"facets.prompt: {template.name!r} shows choices; name their column in "
            "benchmark.mapping.choices, or take another prompt"
        )
