"""Braces of a template that were probably meant as a placeholder, and are sent as they stand.

They are told and never refused: a template may hold any LaTeX, JSON or code.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from .choices import CHOICES
from .templates import JUDGE_NAMES, SOLVER_NAMES, Template
from .turns import unknown_markers

# Not after a letter, a backslash or a brace: there it is an argument of LaTeX.
_WORD_IN_BRACES = re.compile(r"(?<![\w\\{}^$])\{([\w .-]{2,60})\}(?!\})")
# As Jinja writes a placeholder.
_IN_TWO_BRACES = re.compile(r"(?<![\w\\}^$])\{\{([\w.-]+)\}\}")
_AS_GOOD_AS_EQUAL = 0.8


def doubts_of_prompt(template: Template, columns: Iterable[str]) -> Iterator[str]:
    """What may be wrong in a solver's template; `columns`: the metadata columns of the study."""
    yield from _lines_of_turns(template)
    known = {*columns, *SOLVER_NAMES} - {*JUDGE_NAMES}
    yield from _doubled(template, {*known, CHOICES})
    for word in _unfilled(template, known):
        if word in JUDGE_NAMES:
            yield f"{_sent(template, word)}: no solver is shown it"
        elif word == CHOICES:
            yield f"{_sent(template, word)}: benchmark.mapping.choices names no column"
        elif meant := _nearest(word, known):
            yield f"{_sent(template, word)}; {{{meant}}} is one"


def doubts_of_rubric(template: Template, columns: Iterable[str]) -> Iterator[str]:
    """What may be wrong in a rubric."""
    yield from _lines_of_turns(template)
    known = {*columns, *SOLVER_NAMES, *JUDGE_NAMES}
    yield from _doubled(template, known)
    for word in _unfilled(template, known):
        if meant := _nearest(word, known):
            yield f"{_sent(template, word)}; {{{meant}}} is one"


def _lines_of_turns(template: Template) -> Iterator[str]:
    for problem in unknown_markers(template.text):
        yield f"template {template.name!r}: {problem}"


def _doubled(template: Template, known: Iterable[str]) -> Iterator[str]:
    for word in dict.fromkeys(_IN_TWO_BRACES.findall(template.text)):
        if word in known:
            yield (
                f"template {template.name!r}: of {{{{{word}}}}} the outer braces are sent, around "
                f"the text of {{{word}}}; write {{{word}}}"
            )


def _unfilled(template: Template, known: Iterable[str]) -> list[str]:
    words = dict.fromkeys(_WORD_IN_BRACES.findall(template.text))
    return [word for word in words if word not in known]


def _sent(template: Template, word: str) -> str:
    return f"template {template.name!r}: {{{word}}} is no placeholder and is sent as it stands"


def _nearest(word: str, known: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=_AS_GOOD_AS_EQUAL)
    return by_lower[near[0]] if near else None
