"""Reads the prompts of inspect_ai's model-graded scorers. Does not import inspect_ai."""

import ast
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from itemeval_assets.core.errors import ConfigError, TemplateError
from itemeval_assets.core.grading.grading_prompt import GradingPrompt
from itemeval_assets.core.prompts.format_strings import with_text
from itemeval_assets.core.prompts.templates import Template, make_template

from .scorer_code import module_file
from .unreadable import unreadable

_MODULE = "inspect_ai.scorer._model"
_TEMPLATES = {
    "model_graded_qa": "DEFAULT_MODEL_GRADED_QA_TEMPLATE",
    "model_graded_fact": "DEFAULT_MODEL_GRADED_FACT_TEMPLATE",
}
_INSTRUCTIONS = "default_instructions"


def grading_template(given: GradingPrompt, base: Path) -> Template:
    """What a model-graded scorer asks, its instructions filled in. `base`: the folder of the YAML.

    Its path is that of the user's file, and empty where there is none.
    Raises TemplateError for a file that cannot be read, and for braces that name nothing.
    """
    own, path = _own_text(given.template, base) if given.template else ("", "")
    template = own or _of_inspect()[_TEMPLATES[given.scorer]]
    instructions = given.instructions or _of_inspect()[_INSTRUCTIONS](given.partial_credit)
    try:
        return make_template(given.scorer, path, with_text(template, "instructions", instructions))
    except ValueError as error:
        raise TemplateError(
            f"its braces name nothing: {error}. Write braces that are text twice: {{{{ and }}}}"
        ) from None


def _own_text(template: str, base: Path) -> tuple[str, str]:
    """The text of a file, or the argument itself, which has a brace or a line break; the path."""
    if "{" in template or "\n" in template:
        return template, ""
    path = (base / Path(template).expanduser()).resolve()
    try:
        return path.read_text("utf-8-sig"), str(path)
    except FileNotFoundError:
        raise TemplateError(
            f"there is no file {path}; name a file, relative to the config, or write the text, "
            "which shows {answer}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(unreadable(path, error)) from error


@cache
def _of_inspect() -> dict[str, Any]:
    """inspect_ai's own templates and instructions: what its module defines, without its imports.

    To import all of inspect_ai takes seconds, which the definitions of a study do not have.
    """
    names = {*_TEMPLATES.values(), _INSTRUCTIONS}
    path = module_file(_MODULE)
    tree = ast.parse(path.read_text("utf-8"))
    chosen = [node for node in tree.body if _name_of(node) in names]
    found: dict[str, Any] = {}
    exec(compile(ast.Module(chosen, []), str(path), "exec"), found)
    if missing := sorted(names - {*found}):
        raise ConfigError(
            f"inspect_ai {version('inspect_ai')} has no {', '.join(missing)}, which its "
            "model-graded scorers are read from; give `template` and `instructions` in args"
        )
    return found


def _name_of(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None
