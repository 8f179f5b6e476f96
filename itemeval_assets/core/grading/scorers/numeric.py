"""numeric: the number that an answer comes to, if it comes to one."""

import math
import re

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.scorer import scorer
from itemeval_assets.core.grading.verdict import Verdict

from .denials import is_refusal
from .numbers import Number, as_number, numbers_in
from .payload import last_boxed, payload_of, untagged, unwrapped
from .plain_math import plain_math

# After the first number of a labelled answer: what follows is a remark.
_REMARK = re.compile(
    r"\s\((?!\s*or\b)|;(?!\s*(?:no|wait|actually|sorry|or|and)\b)|,\sas\b|n't\b|"
    r"\b(?:not|because|since|whereas|rather than|instead of)\b",
    re.IGNORECASE,
)
_JOINS_ON = re.compile(
    r"(?:[,&/~–—-]|\b(?:or|and|nor|oder|ou|maybe|to|then|no|wait|vs))$", re.IGNORECASE
)
# After a number that follows `=`, so is what it holds for: `x = 42 where n = 7`.
_CONDITION = re.compile(
    r"=[^=\d]{0,30}\d[^=]{0,30}?\s(?=(?:where|when|while|for|such that|so that|with|given|if)\b)",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\d[^=\d]{0,30}(?:[,&]|\b(?:and|or|und|oder|so)\b)[^=\d]{0,30}=", re.IGNORECASE
)
# What joins two numbers to a list, a choice, a range or a ratio.
_JOINERS = (
    r"or|and|to|through|until|of|out of|in|by|per|vs|versus|oder|und|ou|et|o|y|e|u|bis|à|a|или|и|"
    r"或|和|至|到"
)
_JOINED = re.compile(
    rf"[^\w\n=:.]*(?:(?:{_JOINERS})(?!\w)[^\w\n=:.]*)?|"
    r"[^\w\n=:.]*[^\W\d]{1,12}[^\w\n=:.]+(?:or|and|to|through|oder|und|ou|bis|или)\s+[^\w\n=:.]*|"
    r"\s*(?:\.\.+|…)\s*|[^\w\n]*(?:and|or|und|oder|или|и)\s+[^\W\d]\w{0,3}\s*=\s*|"
    r"(?:(?![.;!?]\s|\n).){0,80}?\b(?:or|oder|ou|или)\b(?:(?![.;!?]\s|\n).){0,80}|[^.\n]{0,20}或[^.\n]{0,20}",
    re.IGNORECASE,
)
_CONCEDED = re.compile(
    r"^[^.!?\n]*\b(?:although|though|because|since|whereas|while|even if)\b[^.!?\n]*$",
    re.IGNORECASE,
)
_ANSWER_BEFORE = re.compile(
    r"\banswer\b[^.!?\n\d]{0,20}(?:\b(?:is|be)\b|[:=])[^.!?\n\d]{0,10}$", re.IGNORECASE
)
_TAKEN_BACK = re.compile(
    r"\b(?:(?:wait|actually|correction|sorry|oops|i mean|scratch|hmm|on second thought)\b|no:)",
    re.IGNORECASE,
)
# How sure the writer is is no answer.
_CONFIDENCE = re.compile(
    r"(?:\bmy confidence is\s|(?:^|(?<=[.!?(\n_*])|(?<=[.!?]\s))confidence[\s_*]*[:=])"
    r"[\s_*]*\d[\d./]*|"
    r"(?:\bI(?: am|['’]m)\s|\()\d+(?:\.\d+)?\s?(?:confident|sure|certain)\b",
    re.IGNORECASE,
)
# Remarks that end a text. A confidence level or a number of steps may be the answer: where there
# is another number it is not.
_CLOSING = re.compile(
    r"(?:(?:^|(?<=[\n(_*])|(?<=[.!?;,]\s))[ \t_*]{0,8}(?:my )?confidence (?:level|score|rating)"
    r"(?:[\s_*]{0,3}[:=]|(?<=level) is)[\s_*]{0,3}\d[\d./]*+|"
    r"^[ \t(_*]{0,8}(?:(?:done|solved|finished|completed|computed|calculated|took|found)"
    r"(?: this| it)?(?: in| after)?|(?:total )?(?:number of )?(?:steps|time|tokens)"
    r"(?: used| taken)?[:=])[ \t]*"
    r"\d[\d.,]*+\s?(?:(?:steps?|seconds?|secs?|s|ms|minutes?|tokens?|tries|attempts?|iterations?)"
    r"\b)?[ \t.!)_*]{0,8}$)",
    re.IGNORECASE | re.MULTILINE,
)
_PARAGRAPH_END = re.compile(r"[.!]?[ \t]*\n[ \t]*\n")
_NEAR = 60
_SHORT = 100  # characters of a text that is little more than its number
_MOST = 100  # so many numbers are no answer; of a long text the last ones are looked at


def numeric(solution: str, target: str) -> Verdict:
    r"""1.0 where the number that the answer comes to is the target's, to 1e-6 of its size or 1e-9.

    With a label: what follows `=`, up to ` (`, `;`, "not" or the reason for it. Without one: the
    last `\boxed{}`, else the last number. Fractions, mixed numbers and powers are evaluated.
    Several numbers, a range, a bound or an expression are no number. A number too large for a
    double is a wrong answer, not a missing one; a target that is not finite cannot be compared.
    Codes: `target_not_numeric`, `no_number_found`.
    """
    expected = _expected(target)
    if expected is None:
        return Verdict.failed("target_not_numeric")
    payload = payload_of(solution)
    boxed = last_boxed(payload.text)
    if payload.labelled or boxed is not None:
        found = _of_answer(
            plain_math(untagged(unwrapped(payload.text) if boxed is None else boxed))
        )
    else:
        found = _last_of(plain_math(untagged(unwrapped(payload.text))))
    if found is None:
        return Verdict.failed("no_number_found", payload.text)
    right = math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
    return Verdict.scored(1.0 if right else 0.0, payload.text)


def _expected(target: str) -> float | None:
    """The number that a target is, if it is one that can be compared."""
    number = as_number(unwrapped(target))
    return number if number is not None and math.isfinite(number) else None


def _of_answer(text: str) -> float | None:
    """The value of a short answer: all its numbers, or those after `=`, are one.

    Where it is said exactly and approximately, exactly: `1/3 ≈ 0.333`.
    """
    if "≈" in text:
        exact = _of_answer(text[: text.index("≈")])
        return _of_answer(text[text.rindex("≈") + 1 :]) if exact is None else exact
    every = numbers_in(text)
    numbers = [number for number in every if len(every) < _MOST and not number.denied]
    if (
        not numbers
        or is_refusal(text[: every[0].start])
        or _is_taken_back(text, numbers[-1], every)
    ):
        return None
    condition = _CONDITION.search(text)
    end = min(_remark(text, numbers[0].end), condition.end() if condition else len(text))
    numbers = [number for number in numbers if number.start < end]
    equals = text.rfind("=", 0, numbers[-1].start)
    if _LISTED.search(text, 0, equals + 1):
        numbers = [n for n in numbers if text[: n.start].rstrip().endswith("=")]
    else:
        numbers = [number for number in numbers if number.start > equals]
    values = {number.value for number in numbers}
    return values.pop() if len(values) == 1 else None


def _remark(text: str, start: int) -> int:
    """Where a remark begins, after the first number: what is in brackets after `or` is none."""
    for found in _REMARK.finditer(text, start):
        if not _JOINS_ON.search(text[max(0, found.start() - _NEAR) : found.start()]):
            return found.start()
    return len(text)


def _last_of(text: str) -> float | None:
    """The value of the last number of a text, unless the text leaves it open."""
    text = _CONFIDENCE.sub(" ", text)
    without_remarks = _CLOSING.sub(" ", text)
    numbers = numbers_in(without_remarks, _MOST)
    if numbers:
        text = without_remarks
    else:
        numbers = numbers_in(text, _MOST)
    place = next((i for i in reversed(range(len(numbers))) if not numbers[i].denied), None)
    if place is None or text.startswith("?", numbers[place].end):
        return None
    if len(text) <= _SHORT and "\n" not in text and is_refusal(text[: numbers[0].start]):
        return None
    if _is_taken_back(text, numbers[place], numbers):
        return None
    last, others = numbers[place], numbers[max(0, place - 1) : place]
    first = numbers[0]
    if first.value != last.value and _stands_apart(text, first) and not _is_answer(text, last):
        return None
    if "answer" in text.lower():
        others += [number for number in numbers[:place] if _is_answer(text, number)][-1:]
    if any(other.value != last.value and _leaves_open(text, other, last) for other in others):
        return None
    return last.value


def _stands_apart(text: str, number: Number) -> bool:
    """Whether a text begins with a paragraph that is the number: the answer, before a remark."""
    return not text[: number.start].strip() and bool(_PARAGRAPH_END.match(text, number.end))


def _is_taken_back(text: str, last: Number, numbers: list[Number]) -> bool:
    """Whether a later number is named in place of the last that is not denied: `5. No: 6`."""
    later = numbers[-1].start
    return later > last.start and bool(_TAKEN_BACK.search(text, last.end, later))


def _leaves_open(text: str, other: Number, last: Number) -> bool:
    """Whether a number is stated as the answer too, joined to the last, or explained by it."""
    between = text[other.end : last.start]
    if _is_answer(text, other):
        return not other.denied
    if len(between) > 4 * _NEAR:
        return False
    if _CONCEDED.search(between):
        return True
    remark = "(" in between and ")" not in between and "\n" not in between
    return bool(remark or _JOINED.fullmatch(between))


def _is_answer(text: str, number: Number) -> bool:
    return bool(_ANSWER_BEFORE.search(text[max(0, number.start - _NEAR) : number.start]))


NUMBERS = Targets("a number", lambda target: _expected(target) is not None)
NUMERIC = scorer("numeric", "3", numeric, NUMBERS)
