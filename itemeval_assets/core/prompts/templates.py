"""Prompt and rubric templates: identity, placeholders, rendering.

Only known placeholders are replaced, so LaTeX and JSON braces pass through, and
text that a placeholder brings in is never scanned again.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.text.secrets import redacted

from .turns import Turn, has_turns, problem_of_turns, turns_of

BUILTIN = "builtin:"
# The placeholders that every item has; a metadata column of such a name stands in for none.
SOLVER_NAMES = ("input", "id")
JUDGE_NAMES = ("solution", "target", "grading_scheme")
# How other tools call what a placeholder of ours brings in.
_ELSEWHERE = {
    "input": ("question", "problem", "prompt", "query", "text"),
    "choices": ("options", "answers", "alternatives"),
    "solution": ("answer", "response", "output", "completion", "prediction", "submission"),
}


@dataclass(frozen=True)
class Template:
    """A prompt or rubric as it was read: `name` is the reference used in the YAML."""

    name: str
    path: str
    text: str
    sha256: str

    @property
    def hash(self) -> str:
        """First 12 hex digits of the sha256 of the normalised text."""
        return self.sha256[:12]

    @property
    def short_name(self) -> str:
        """The name without `builtin:`, for people to read."""
        return self.name.removeprefix(BUILTIN)

    @property
    def public_text(self) -> str:
        """The text without secrets."""
        return redacted(self.text)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """What is said in it, and by whom: by the user alone where it has no turns of its own."""
        return turns_of(self.text)

    @cached_property
    def is_chat(self) -> bool:
        """Whether it has turns of its own."""
        return has_turns(self.text)

    @property
    def source(self) -> str:
        return "builtin" if self.name.startswith(BUILTIN) else "local"


def make_template(name: str, path: str, raw: str) -> Template:
    """Normalise line ends to `\\n` and fix the content hash."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return Template(name, path, text, hashlib.sha256(text.encode()).hexdigest())


def render(text: str, values: Mapping[str, str]) -> str:
    """Replace each `{name}` whose name is a key of `values`; leave all other braces alone."""
    if not values:
        return text
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda match: values[match[1]], text)


def columns_in(template: Template, columns: Iterable[str]) -> tuple[str, ...]:
    """The metadata columns that a solver's template names, in the order of the alphabet.

    A column that is called as what only judges see is none of them, whatever it holds.
    """
    found = {name for name in columns if f"{{{name}}}" in template.text}
    return tuple(sorted(found - {*SOLVER_NAMES, *JUDGE_NAMES}))


def split_at(text: str, placeholder: str) -> tuple[str, str]:
    """The text before `{placeholder}`, and the rest starting with it."""
    head, mark, tail = text.partition(f"{{{placeholder}}}")
    return head, mark + tail


def require_turns(template: Template, is_split: bool) -> None:
    """Raise TemplateError where its turns are wrong, or are to be split in two once more."""
    where = f"template {template.name!r} ({template.path})"
    if problem := problem_of_turns(template.text):
        raise TemplateError(f"{where}: {problem}")
    if is_split and template.is_chat:
        raise TemplateError(
            f"{where} has turns of its own, and split_prompt (or split_rubric) is for templates "
            "without: remove that key, or the lines of the turns"
        )


def require_place_for_chat(template: Template) -> None:
    """Raise TemplateError unless `{input}` is the last turn, alone: a chat takes its place."""
    *others, last = template.turns
    around = any("{input}" in turn.text for turn in others)
    if around or last.role != "user" or last.text.strip() != "{input}":
        raise TemplateError(
            f"template {template.name!r} ({template.path}): the items are chats, and their turns "
            "stand in the place of {input}: let it be the last turn, alone, and write other text "
            "into turns before it, below a line <|system|>, and <|user|> above {input}"
        )


def require_placeholders(template: Template, names: tuple[str, ...]) -> None:
    """Raise TemplateError unless every `{name}` stands in the template."""
    missing = [name for name in names if f"{{{name}}}" not in template.text]
    if missing:
        meant = {
            f"{{{name}}} for {found}" for name in missing for found in _instead(name, template.text)
        }
        where = "add it where that text should appear"
        if template.source == "builtin":
            where = "take another one, such as builtin:multiple_choice"
        advice = f"write {', '.join(sorted(meant))}" if meant else where
        lacking = ", ".join(f"{{{name}}}" for name in missing)
        raise TemplateError(
            f"template {template.name!r} ({template.path}) lacks {lacking}; {advice}"
        )


def _instead(name: str, text: str) -> Iterator[str]:
    """What stands in a template in the place of `{name}`: as other tools call or write it."""
    for word in _ELSEWHERE.get(name, ()):
        if f"{{{word}}}" in text:
            yield f"{{{word}}}"
    yield from re.findall(rf"\{{{{1,2}}\s*{name}\s*\}}{{1,2}}", text, re.IGNORECASE)
