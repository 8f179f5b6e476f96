"""Reads prompts and rubrics: files beside the YAML, or those of the package."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.rubrics import written_with
from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.grading.grading_prompt import PromptOf
from itemeval_assets.core.prompts.templates import BUILTIN, Template, make_template
from itemeval_assets.core.text.nearest import did_you_mean

from .grading_prompts import grading_template
from .task_lock import task_template
from .template_lock import Kept
from .unreadable import unreadable


def load_templates(
    config: StudyConfig, base: Path, kept: Kept, prompt_of: PromptOf
) -> tuple[dict[str, Template], dict[str, Template]]:
    """All prompts and rubrics by reference. Every missing one is named in a single error.

    A task stands in the place of all prompts. `kept`: packaged ones that have other words here.
    `prompt_of` tells the prompts of model-graded scorers.
    """
    prompts, rubrics, problems, task = {}, {}, [], config.benchmark.ref
    if task:
        prompts[task.word] = task_template(task, base)
    wanted = [
        (prompts, "facets.prompt", name, base / config.prompts_dir / "solver", "prompts")
        for name in ([] if task else config.facets.prompt)
    ]
    wanted += [
        (rubrics, "facets.rubric", name, base / config.rubrics_dir, "rubrics")
        for name in config.rubrics_in_use
        if name not in config.rubrics
    ]
    for found, where, name, folder, builtin in wanted:
        try:
            found[name] = kept[builtin].get(name) or _load_template(name, folder, builtin)
        except TemplateError as error:
            problems.append(f"{where}: {error}")
    for called, where, name in _of_written_rubrics(config):
        try:
            template = kept["rubrics"].get(name)
            template = template or _load_template(name, base / config.rubrics_dir, "rubrics")
            # Judges know it by the name of the entry; the file says where it is from.
            rubrics[called] = replace(template, name=called if called in config.rubrics else name)
        except TemplateError as error:
            problems.append(f"{where}: {error}")
    for name in config.facets.grader:
        if own := config.grader(name).own_prompt:
            [reference] = config.rubrics_of(name)
            try:
                rubrics[reference] = grading_template(own, base, prompt_of)
            except TemplateError as error:
                problems.append(f"graders.{name}.args.template: {error}")
    if problems:
        raise TemplateError("\n".join(problems))
    return prompts, rubrics


def _of_written_rubrics(config: StudyConfig) -> Iterator[tuple[str, str, str]]:
    """The templates of rubrics that models write: what each is called, its YAML path, its name."""
    for name in config.rubrics_in_use:
        if entry := config.rubrics.get(name):
            where = f"rubrics.{name}"
            yield name, f"{where}.grade_template", entry.grade_template
            yield written_with(name), f"{where}.materialize.template", entry.materialize.template


def _load_template(name: str, folder: Path, builtin: str) -> Template:
    if name.startswith(BUILTIN):
        packaged = _packaged(builtin)
        short = name.removeprefix(BUILTIN)
        if short not in packaged:
            known = [f"{BUILTIN}{one}" for one in packaged]
            raise TemplateError(f"there is no packaged {name!r}; there are: {', '.join(known)}")
        return make_template(name, f"{BUILTIN}{builtin}/{short}.md", packaged[short])
    path = (folder / f"{name}.md").resolve()
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise TemplateError(f"{name!r}: {path} is no file, but a pipe, a socket or a device")
    try:
        # A byte order mark is the editor's: no model is to read it.
        return make_template(name, str(path), path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise TemplateError(
            f"{name!r}: there is no file {path}{_hint(name, folder, builtin)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{name!r}: {unreadable(path, error)}") from error


def _hint(name: str, folder: Path, builtin: str) -> str:
    packaged = list(_packaged(builtin))
    if name in packaged:
        return f"; for the packaged one write {BUILTIN}{name}"
    misnamed = sorted(path.name for path in folder.glob(f"{name}.*") if path.is_file())
    if misnamed:
        return f"; there is {misnamed[0]}: rename it to {name}.md"
    local = sorted(path.stem for path in folder.glob("*.md"))
    return f"; {did_you_mean(name, [*local, *(f'{BUILTIN}{one}' for one in packaged)])}"


def packaged_template(name: str, builtin: str) -> Template | None:
    """The packaged template of a name; null where there is none. `builtin`: prompts or rubrics."""
    try:
        return _load_template(name, Path(), builtin) if name.startswith(BUILTIN) else None
    except TemplateError:
        return None


@cache
def _packaged(kind: str) -> dict[str, str]:
    folder = files("itemeval_assets") / "builtin" / kind
    return {
        entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".md")
    }
