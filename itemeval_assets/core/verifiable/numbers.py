"""The numbers of a text in plain mathematics, and what each is worth.

Only a few characters round each number are looked at, so that time stays linear.
"""

import math
import re
from collections import deque
from itertools import islice
from typing import NamedTuple

from .plain_math import OPAQUE, plain_math

__all__ = ["Number", "as_number", "first_numbers", "last_numbers"]

_NEAR = 40
_MOST = 100

_DIGITS = r"(?:\d++(?:\.\d++)?+|(?<![\w.])\.\d++)"
_NUMBER = re.compile(
    rf"""(?P<sign>(?<![\w)\]!{OPAQUE}])(?:-[ ]?|\+)(?=[\d.]))?+
    (?:(?P<whole>\d++)[ ](?P<top>\d++)/(?P<bottom>\d++)(?![.]?\d|[ ]?/)
      |(?P<over>{_DIGITS})[ ]?/[ ]?(?P<under>-?{_DIGITS})(?![.]?\d|[ ]?/|[ ]?\^)
      |(?P<base>{_DIGITS})(?:[ ]?[x*][ ]?10\^(?P<ten>[-+]?\d++)|\^(?P<power>[-+]?\d{{1,6}})(?!\d)
          |[eE](?P<exponent>[-+]?\d++)(?!\w))?+)
    (?:[ -](?P<scale>hundred|thousand|million|billion|trillion|dozen)(?!\w))?""",
    re.VERBOSE,
)
_SCALES = {
    **{"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12},
    "dozen": 12.0,
}
_SPACELESS = r"\u0e00-\u0e7f\u3000-\u9fff\uac00-\ud7af"
_LETTER = rf"[^\W\d_{_SPACELESS}]"


def _any_of(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


# Digits of a word (`H2O`, `GPT-4`), an exponent of a unit (`m^2`) or an index (`x_1`).
_OF_A_WORD = re.compile(rf"(?:{_LETTER}|{_LETTER}\d*-|\^[-+]?|\w_)$")
_WORDS_BEFORE = _any_of(
    r"sqrt|log|ln|sin|cos|tan|root of|to the power of",
    r"plus|times|\d minus|divided by|multiplied by|mod|modulo|over",
    r"(?:more|less|fewer|greater|larger|smaller|higher|lower) than|at least|at most|up to",
    r"under|below|above|exceeds|exceeding",
)
_UNCLEAR_BEFORE = re.compile(
    _any_of(
        r"\d[.,:_]",  # 1.2.3, 3,14, 12:30, 1_0
        rf"[<>≤≥≠±{OPAQUE}]\s{{0,3}}\(?-?",  # > 5, √2
        rf"[\w){OPAQUE}]\s?[-+*/^]\s?\(?",  # x/2, 3 - 4
        r"\w[([]|\d!",  # f(2), 3(2), 3!2
        r"\n\s*-\s?",  # an item of a list, or a minus
        rf"\b{_WORDS_BEFORE}\s(?:or equal to\s)?",
    )
    + "$",
    re.IGNORECASE,
)
_NEGATIVE_BEFORE = re.compile(r"(?:^|[^\d\s]\s?)\b(?:minus|negative)\s$", re.IGNORECASE)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|than|instead of|except|unlike|nicht|pas|kein|no)|n['’]t|不是|не)\s"
    r"(?:(?:be|equal|to|exactly|simply|just|the)\s)*$",
    re.IGNORECASE,
)
_UNIT = r"(?:m[23]?|[gshlLJNWVACF])(?![a-zA-Z\d])"
_WORDS_AFTER = _any_of(
    r"squared|cubed|factorial|pi|to the power|choose|mod|modulo",
    r"plus|minus|divided|multiplied|times\s[\w(]*\d",
    r"or (?:more|less|fewer|greater|so|higher|lower)",
)
_UNCLEAR_AFTER = re.compile(
    _any_of(
        rf"(?!{_UNIT})(?:[a-zA-Z](?![a-zA-Z])|(?i:pi|bn|mn|mio|mrd|[xyz]{{2,3}})\b)",  # 2x, 7bn
        r"_\w|[.,:]\d|['’′]\d|[ ]\d{3}(?!\d)",  # 1_0, 3,14, 12:30, 5'6, 1 234
        rf"\s{{0,3}}[{OPAQUE}±<>≤≥≠^]|\.{OPAQUE}",  # 2√3, 7 < x, 0.\overline{3}
        rf"\s?\*\s?[\w(]|\s?/\s?(?:[\d({OPAQUE}]|[xyznkabpq](?![a-zA-Z]))",  # 3*4, 2/x
        rf"\s?\+|\s?-\s?(?:[\d({OPAQUE}]|[b-z](?![a-zA-Z]))",  # 3 - 4, 2 + x
        r"\([-\d]|\)\s?[\^!]|\)\(|!(?=[\s\w(*])",  # 3(2), (3)^2, 3! + 1
        r"\s[xyznijk](?![\w'’])",  # 2 x
        rf"\s(?i:{_WORDS_AFTER})\b",
    )
)
# A sign may stand apart from its number where nothing is there to be subtracted from.
_BEFORE_SIGN = re.compile(r"(?:^|[=:(])[ ]*$")
_CUT_OFF = re.compile(r"\.\.\.|…")
_MOST_FACTORIAL = 20  # a larger number before `!` is a number said with emphasis


class Number(NamedTuple):
    """Where a number stands and what it is worth: null where that is unclear.

    `denied`: the text says that it is another.
    """

    value: float | None
    start: int
    end: int
    denied: bool


def as_number(text: str) -> float | None:
    """The value of a text that is a number and nothing else."""
    text = plain_math(text).rstrip(".").strip()
    numbers = first_numbers(text)
    if len(numbers) != 1 or (numbers[0].start, numbers[0].end) != (0, len(text)):
        return None
    return numbers[0].value


def first_numbers(text: str) -> list[Number]:
    return _read(text, islice(_NUMBER.finditer(text), _MOST))


def last_numbers(text: str) -> list[Number]:
    return _read(text, deque(_NUMBER.finditer(text), _MOST))


def _read(text: str, found: "islice[re.Match[str]] | deque[re.Match[str]]") -> list[Number]:
    return [
        _number(text, match)
        for match in found
        if not _OF_A_WORD.search(text[max(0, match.start() - _NEAR) : match.start()])
    ]


def _number(text: str, found: re.Match[str]) -> Number:
    before = text[max(0, found.start() - _NEAR) : found.start()]
    after = text[found.end() : found.end() + _NEAR]
    value = _value(found)
    if value is not None and (
        _UNCLEAR_BEFORE.search(before)
        or _UNCLEAR_AFTER.match(after)
        or (after[:1] == "!" and abs(value) <= _MOST_FACTORIAL)
        or ("." in found[0] and _CUT_OFF.match(after))
        or ((found["sign"] or "").endswith(" ") and not _BEFORE_SIGN.search(before))
    ):
        value = None
    if value is not None and _NEGATIVE_BEFORE.search(before):
        value = -value
    return Number(value, found.start(), found.end(), bool(_DENIED_BEFORE.search(before)))


def _value(found: re.Match[str]) -> float | None:
    try:
        value = _unsigned(found) * _SCALES.get((found["scale"] or "").lower(), 1.0)
    except OverflowError:
        value = math.inf
    except ZeroDivisionError:
        return None
    if math.isnan(value):
        return None
    return -value if (found["sign"] or "").startswith("-") else value


def _unsigned(found: re.Match[str]) -> float:
    if found["whole"]:
        return float(found["whole"]) + float(found["top"]) / float(found["bottom"])
    if found["over"]:
        return float(found["over"]) / float(found["under"])
    if found["power"]:
        return float(found["base"]) ** int(found["power"])
    exponent = found["ten"] or found["exponent"] or "0"
    return float(f"{found['base']}e{exponent}")
