"""Reads what a user gives of the prompts of model-graded scorers."""

from pathlib import Path

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.grading.grading_prompt import GradingPrompt, PromptOf
from itemeval_assets.core.prompts.format_strings import with_text
from itemeval_assets.core.prompts.templates import Template, make_template

from .unreadable import unreadable


def grading_template(given: GradingPrompt, base: Path, prompt_of: PromptOf) -> Template:
    """What a model-graded scorer asks, its instructions filled in. `base`: the folder of the YAML.

    `prompt_of` tells what the user did not give. Its path is that of the user's file, and empty
    where there is none.
    Raises TemplateError for a file that cannot be read, and for braces that name nothing.
    """
    own, path = _own_text(given.template, base) if given.template else ("", "")
    template, instructions = own, given.instructions
    if not template or not instructions:
        usual = prompt_of(given.scorer, given.partial_credit)
        template, instructions = template or usual[0], instructions or usual[1]
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
