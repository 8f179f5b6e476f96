"""The prompts of inspect_ai's model-graded scorers. Does not import inspect_ai."""

import ast
from functools import cache
from importlib.metadata import version
from typing import Any

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.storage.study.inputs.scorer_code import module_file

_MODULE = "inspect_ai.scorer._model"
_TEMPLATES = {
    "model_graded_qa": "DEFAULT_MODEL_GRADED_QA_TEMPLATE",
    "model_graded_fact": "DEFAULT_MODEL_GRADED_FACT_TEMPLATE",
}
_INSTRUCTIONS = "default_instructions"


def prompt_of_inspect(scorer: str, partial_credit: bool) -> tuple[str, str]:
    """The template and the instructions of a scorer. Raises ConfigError where it has others."""
    found = _definitions()
    return found[_TEMPLATES[scorer]], found[_INSTRUCTIONS](partial_credit)


@cache
def _definitions() -> dict[str, Any]:
    """What the module of inspect_ai defines, without its imports.

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
