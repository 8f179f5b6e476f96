"""The grade in the reply of a model-graded scorer of inspect_ai, as inspect_ai itself reads it.

A reply is data, whatever a model sends: the functions below never raise, and their time grows
linearly with the length of the reply, for which they do not take inspect_ai's own patterns.
"""

import math
import re
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from itemeval_assets.core.grading.code import of_inspect
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.text.words import well_formed

# Blanks, and characters without width.
_SPACES = r"[\s\u200b\u200c\u200d\u200e\u200f\u2060\u2063\ufeff]*"
# The last counts: what follows is looked at, and may hold the next one.
_GRADE = r"(?is)(?<!\w)GRADE(?!\w)(?={spaces}:{spaces}({grade}))"
_LETTER = re.compile(_GRADE.format(spaces=_SPACES, grade="[CPI]"))
_WORD = re.compile(_GRADE.format(spaces=_SPACES, grade=r"\w*"))
_LETTERS = {"correct": "C", "incorrect": "I", "partial": "P"}


def grade_reader(
    pattern: Any, own_instructions: bool, partial_credit: bool
) -> Callable[[str | None], Verdict]:
    """What reads the grade of a reply. `pattern`: a compiled one of RE2; null: `GRADE: C`.

    Only where the instructions are inspect_ai's own is it known which letters were offered.
    Codes: `no_grade_found`, `score_not_numeric`, `score_not_finite`.
    """
    if pattern is not None:
        return partial(_verdict, partial(_matched, pattern))
    if own_instructions:
        return partial(_verdict, _letter)
    return partial(_verdict, partial(_offered, "CPI" if partial_credit else "CI"))


def _matched(pattern: Any, reply: str) -> tuple[str | None, str | None]:
    found = pattern.search(well_formed(reply))
    return (None, None) if found is None else (found[1], found[1])


def _letter(reply: str) -> tuple[str | None, str | None]:
    found = _last(_LETTER, reply)
    return (None, None) if found is None else (found.upper(), found)


def _offered(letters: str, reply: str) -> tuple[str | None, str | None]:
    """A letter or the word for it; any other one is no grade, whatever was said before it."""
    found = _last(_WORD, reply)
    if found is None:
        return None, None
    letter = _LETTERS.get(found.lower(), found.upper())
    return letter if letter and letter in [*letters] else None, found


def _last(pattern: re.Pattern[str], reply: str) -> str | None:
    found = deque(pattern.finditer(reply), maxlen=1)
    return found[0][1] if found else None


def _verdict(grade_in: Callable[[str], tuple[str | None, str | None]], text: str | None) -> Verdict:
    """The verdict in a reply, which explains it. `grade_in`: the grade, and as it is said."""
    reply = text or ""
    grade, said = grade_in(reply)
    if grade is None:
        return Verdict.failed("no_grade_found", said)
    score = of_inspect(grade)
    if not isinstance(score, float):
        return Verdict.failed("score_not_numeric", grade, reply)
    if not math.isfinite(score):
        return Verdict.failed("score_not_finite", grade, reply)
    return Verdict.scored(score, grade, reply)
