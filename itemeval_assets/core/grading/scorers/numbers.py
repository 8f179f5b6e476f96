"""The numbers of a text in plain mathematics, and what each is worth.

Only a few characters round each number are looked at, so that time stays linear.
"""

import math
import re
from collections import deque
from functools import cached_property

from .denials import is_denied
from .plain_math import OPAQUE, plain_math

_NEAR = 40
_SHORT = 12

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
_FRACTION = _any_of(
    r"hal(?:f|ve)|quarter|third",
    r"(?:four|fif|six|seven|eigh|nin|ten|hundred|thousand|million)th",
)
_NUMBER_WORDS = _any_of(
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve",
    r"(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty",
    r"hundred|thousand|million|billion|trillion|dozen",
)
_WORDS_BEFORE = _any_of(
    rf"{_FRACTION}s? of(?: the)?|half|double|twice|triple|thrice|quadruple",
    r"(?:square|cube|reciprocal|inverse|negative|factorial|logarithm|per ?cent) of(?: the)?",
    rf"{_NUMBER_WORDS}(?: and)?",
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
        r"-|(?:-\s?|\b(?:minus|negative)\s)[(\[|]",  # --5, -(-5), minus |5|
        r"\n\s*-\s?",  # an item of a list, or a minus
        rf"\b{_WORDS_BEFORE}\s(?:or equal to\s)?",
    )
    + "$",
    re.IGNORECASE,
)
_NEGATIVE_BEFORE = re.compile(r"(?:^|[^\d\s]\s?)\b(?:minus|negative)\s$", re.IGNORECASE)
_UNIT = r"(?:m[23]?|[gshlLJNWVACF])(?![a-zA-Z\d])"
_WORDS_AFTER = _any_of(
    r"squared|cubed|factorial|pi|to the power|choose|mod|modulo",
    r"plus|minus|divided|multiplied|times\s[\w(]*\d",
    r"or (?:more|less|fewer|greater|so|higher|lower)",
)
_FUNCTION = r"(?:sqrt|log|ln|lg|exp|(?:arc|a)?(?:sin|cos|tan|cot)h?)"
_SCALE_WORDS = _any_of(
    r"(?:hundred|thousand|(?:m|b|tr|quadr|quint)illion|dozen|lakh|crore)s?|score|gross",
    r"bn|mn|mln|bln|mio|mrd|tn",
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
        rf"{_FUNCTION}[xyznt]?(?![a-zA-Z])|\s{_FUNCTION}\s?[\d({OPAQUE}]",  # 5ln2
        rf"[\s-](?i:{_SCALE_WORDS})(?!\w)",  # 5 million million
        rf"[\s-](?i:{_FRACTION}(?:s(?!\w)|(?!\w|[\s-][a-z])))",  # 3 quarters
        # 2 and a half, 2 hours and a half
        rf"(?:[\s-]\w{{1,12}})?[\s-](?i:and[\s-](?:an?|one|two|three)[\s-]{_FRACTION})",
        r"[^.;\n\d]{0,20}\b(?:below|under)(?:\s(?:zero|freezing|sea level)\b|[.!]?$)",  # 5 below
        rf"\s(?i:{_WORDS_AFTER})\b",
    )
)
# A sign may stand apart from its number where nothing is there to be subtracted from.
_BEFORE_SIGN = re.compile(r"(?:^|[=:(])[ ]*$")
# Between bars stands the number without its sign.
_BAR_BEFORE, _BAR_AFTER = re.compile(r"\|\s?$"), re.compile(r"\s?\|")
_CUT_OFF = re.compile(r"\.\.\.|…")
_MOST_FACTORIAL = 20  # a larger number before `!` is a number said with emphasis


class Number:
    """A number of a text, looked at when it is asked: most numbers of a long text never are."""

    def __init__(self, text: str, found: re.Match[str]) -> None:
        self._found = found
        self.start, self.end = found.span()
        self._before = text[max(0, self.start - _NEAR) : self.start]
        self._after = text[self.end : self.end + _NEAR]

    @cached_property
    def value(self) -> float | None:
        """What it is worth; None where the text round it makes that unclear."""
        value = _value(self._found)
        if value is None or self._is_part(value):
            return None
        return -value if _NEGATIVE_BEFORE.search(self._before) else value

    @cached_property
    def denied(self) -> bool:
        """Whether the text says that it is another."""
        return is_denied(self._before, self._after)

    def _is_part(self, value: float) -> bool:
        """Whether it is a part of an expression, a bound, a date or the like."""
        apart = (self._found["sign"] or "").endswith(" ")
        return bool(
            _UNCLEAR_AFTER.match(self._after)
            or _UNCLEAR_BEFORE.search(self._before)
            or (self._after[:1] == "!" and abs(value) <= _MOST_FACTORIAL)
            or ("." in self._found[0] and _CUT_OFF.match(self._after))
            or (value < 0 and _BAR_BEFORE.search(self._before) and _BAR_AFTER.match(self._after))
            or (apart and not _BEFORE_SIGN.search(self._before))
        )


def as_number(text: str) -> float | None:
    """The value of a text that is a number and nothing else."""
    text = plain_math(text).rstrip(".").strip()
    numbers = numbers_in(text)
    if len(numbers) != 1 or (numbers[0].start, numbers[0].end) != (0, len(text)):
        return None
    return numbers[0].value


def numbers_in(text: str, last: int | None = None) -> list[Number]:
    """The numbers of a text in plain mathematics, or so many last ones at most."""
    found = deque(_NUMBER.finditer(text), last)
    return [Number(text, match) for match in found if not _is_of_a_word(text, match.start())]


def _is_of_a_word(text: str, start: int) -> bool:
    return bool(_OF_A_WORD.search(text[max(0, start - _SHORT) : start]))


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
