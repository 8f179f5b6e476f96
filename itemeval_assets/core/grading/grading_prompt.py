"""The prompt of a model-graded scorer of inspect_ai, and whether it fits the items."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.prompts.format_strings import fields_of, shows_as_it_is
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.nearest import did_you_mean

# What it shows of a sample, besides its metadata.
OF_SAMPLES = ("question", "answer", "criterion")
_INSTRUCTIONS = "instructions"
# From a scorer, and whether it offers partial credit, to its template and instructions.
PromptOf = Callable[[str, bool], tuple[str, str]]


@dataclass(frozen=True)
class GradingPrompt:
    """What the user gave of the prompt.

    `template`: a file beside the YAML, or the text itself. Null: what inspect_ai has.
    """

    scorer: str
    template: str | None = None
    instructions: str | None = None
    partial_credit: bool = False

    @staticmethod
    def require_fitting(grader: str, filled: Template, columns: Iterable[str]) -> None:
        """Raise TemplateError where it fits no item. `columns`: those of their metadata.

        `filled`: the prompt of this grader, with its instructions.
        """
        if problem := _problem_of(filled.text, [*OF_SAMPLES, *columns]):
            raise TemplateError(f"graders.{grader}.args.template: {problem}")


def _problem_of(template: str, known: list[str]) -> str | None:
    """What is wrong with a template, seen before there is an item."""
    fields = fields_of(template)
    if "answer" not in fields:
        return "it lacks {answer}; add it where the answer should appear"
    if not shows_as_it_is(template, "answer"):
        return "it shows a part or another form of {answer}; write {answer} alone"
    for field in fields:
        if field not in known:
            near = did_you_mean(field, [*known, _INSTRUCTIONS])
            return (
                f"it shows {{{field}}}, which no item has; {near}. Write braces that are text twice"
            )
    return None
