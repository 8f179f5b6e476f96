"""Scorers that need no judge: they compare the answer in a solution with the item's target.

Each takes a solution and a target and gives a verdict of 1.0 or 0.0, or a code when the two
cannot be compared. None raises, and their time grows linearly with the length of the solution.
"""

import math
import re
from collections import deque
from collections.abc import Callable
from string import ascii_letters

from itemeval_assets.core.verdict import Verdict

# The label may be in bold up to the colon: `**ANSWER**: 42` shows as `ANSWER: 42`.
_LABELLED = re.compile(r"ANSWER\*{0,2}[^\S\r\n]*:([^\r\n]*)", re.IGNORECASE)
_NEXT_LINE = re.compile(r"\s*([^\r\n]*)")
# Words keep their apostrophes, so that the s of "it's" does not stand alone.
_WORD = re.compile(r"\w+(?:['’]\w+)*")
# `$` and `,` also as LaTeX writes them: `\$` and the `{,}` of `1{,}234`.
_MONEY_MARKS = re.compile(r"\\?\$|\{,\}|,")
# A minus right after a number, a word or a closing bracket is no sign: `3-4` and `GPT-4` end in 4.
_NUMBER = re.compile(
    r"(?:(?<![\w)\]}%])[-+])?(?:\d+(?:\.\d+)?|(?<![\w.])\.\d+)(?:[eE][-+]?\d+)?",
)


def exact_match(solution: str, target: str) -> Verdict:
    """1.0 where both texts agree once whitespace, case and a trailing period are folded.

    Code: `empty_target`.
    """
    expected = _folded(target)
    if not expected:
        return Verdict.failed("empty_target")
    payload = _payload(solution)
    return _compared(_folded(payload) == expected, payload)


def multiple_choice(solution: str, target: str) -> Verdict:
    """1.0 where the first letter that stands alone is the target's, in either case.

    Codes: `target_not_letter`, `no_letter_found`.
    """
    expected = target.strip()
    if not _is_letter(expected):
        return Verdict.failed("target_not_letter")
    payload = _payload(solution)
    # Underscores are emphasis (`_B_`), though they count as word characters.
    words = (word[0].strip("_") for word in _WORD.finditer(payload))
    letter = next(filter(_is_letter, words), None)
    if letter is None:
        return Verdict.failed("no_letter_found", payload)
    return _compared(letter.upper() == expected.upper(), payload)


def numeric(solution: str, target: str) -> Verdict:
    """1.0 where the last number is the target's, to 1e-6 of its size or 1e-9.

    `3/4` and `3-4` hold two numbers each, and `-5` one. A number too large for a double is a
    wrong answer, not a missing one; a target that is not finite cannot be compared.
    Codes: `target_not_numeric`, `no_number_found`.
    """
    expected = _to_float(_plain(target))
    if expected is None or not math.isfinite(expected):
        return Verdict.failed("target_not_numeric")
    payload = _payload(solution)
    last = deque(_NUMBER.finditer(_plain(payload)), maxlen=1)
    found = _to_float(last[0][0]) if last else None
    if found is None:
        return Verdict.failed("no_number_found", payload)
    return _compared(math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9), payload)


SCORERS: dict[str, Callable[[str, str], Verdict]] = {
    "exact_match": exact_match,
    "multiple_choice": multiple_choice,
    "numeric": numeric,
}


def score_solution(scorer: str, solution: str | None, target: str | None) -> Verdict:
    """The verdict of the named scorer; a null solution or target counts as a blank one.

    Raises:
        ValueError: there is no scorer of that name.
    """
    if scorer not in SCORERS:
        raise ValueError(f"unknown scorer {scorer!r}; known are {', '.join(SCORERS)}")
    return SCORERS[scorer](solution or "", target or "")


def _compared(right: bool, payload: str) -> Verdict:
    return Verdict.scored(1.0 if right else 0.0, payload)


def _payload(solution: str) -> str:
    """What follows `ANSWER:` on the last line that holds it, else the whole text.

    Where that line ends with the label, the next line that is not blank is meant.
    """
    labelled = deque(_LABELLED.finditer(solution), maxlen=1)
    if not labelled:
        return _unmarked(solution)
    if payload := _unmarked(labelled[0][1]):
        return payload
    following = _NEXT_LINE.match(solution, labelled[0].end())
    return _unmarked(following[1]) if following else ""


def _unmarked(text: str) -> str:
    """The text without bold marks around it: `**ANSWER: 42**` leaves one behind, and
    `**ANSWER:** 42` puts one in front."""
    text = text.strip()
    if text.startswith("**"):
        text = text.lstrip("* \t")
    if text.endswith(("**", "**.")):
        text = text.rstrip("*. \t")
    return text


def _folded(text: str) -> str:
    folded = " ".join(text.split()).casefold()
    # A text of periods keeps one, or else a blank solution would match it.
    return folded.rstrip(". ") or folded[:1]


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text in ascii_letters


def _plain(text: str) -> str:
    return _MONEY_MARKS.sub("", text).replace("\N{MINUS SIGN}", "-")


def _to_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
