"""exact_match: two texts are the same, but for what a reader would not call a difference."""

import re
from unicodedata import normalize

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.scorer import scorer
from itemeval_assets.core.grading.verdict import Verdict

from .payload import payload_of, unwrapped

_QUOTES = {
    '"': '"',
    "'": "'",
    "`": "`'",
    "“": "”“",
    "”": "”",
    "„": "“”",
    "‘": "’‘",
    "’": "’",
    "‚": "‘’",
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "『": "』",
    "《": "》",
}
# To a reader they are one mark.
_STRAIGHT = str.maketrans("‘’ʼ“”", "'''\"\"")
_FINAL_MARKS = ".!?。！？"
# `5!` and `n!` are factorials: a target that ends like this keeps its mark.
_FACTORIAL = re.compile(r"(?:[\d)\]}]|\b[a-z])!$", re.IGNORECASE)


def exact_match(solution: str, target: str) -> Verdict:
    """1.0 where both texts agree once NFC, whitespace and case are folded, and quotation marks
    round the whole and `. ! ?` at its end are dropped. Curly quotation marks are straight ones.

    Emphasis, `$` and LaTeX commands such as `\\text{}` round the whole are no part of the text.
    Code: `empty_target`.
    """
    expected, marks = _expected(target)
    if not expected:
        return Verdict.failed("empty_target")
    payload = payload_of(solution).text
    right = _same(_folded(payload, marks), expected)
    return Verdict.scored(1.0 if right else 0.0, payload)


def _expected(target: str) -> tuple[str, str]:
    """The target as it is compared, and the marks that are dropped at the end of an answer."""
    marks = _FINAL_MARKS.replace("!", "") if _FACTORIAL.search(target.strip()) else _FINAL_MARKS
    return _folded(target, marks), marks


def _folded(text: str, marks: str) -> str:
    whole = " ".join(unwrapped(text).split()).casefold()
    # A text of marks keeps them, or else a blank solution would match it.
    bare = " ".join(unwrapped(_bare(whole, marks)).split()) or whole
    return bare.translate(_STRAIGHT)


def as_one_line(text: str) -> str:
    """The text with whitespace folded and straight quotation marks."""
    return " ".join(text.split()).translate(_STRAIGHT)


def _bare(text: str, marks: str) -> str:
    """The text without marks at its end and quotation marks round the whole."""
    start, end = 0, len(text)
    while start < end:
        if text[end - 1] in marks or text[end - 1].isspace():
            end -= 1
        elif text[start].isspace():
            start += 1
        elif end - start > 1 and text[end - 1] in _QUOTES.get(text[start], ""):
            start, end = start + 1, end - 1
        else:
            break
    return text[start:end]


def _same(found: str, expected: str) -> bool:
    # No text is longer than its decomposition, so a longer one need not be normalised: that takes
    # a time that is not linear in runs of combining marks.
    if len(found) > len(normalize("NFD", expected)):
        return False
    return normalize("NFC", found) == normalize("NFC", expected)


TEXTS = Targets("a text that is not empty", lambda target: bool(_expected(target)[0]))
EXACT_MATCH = scorer("exact_match", "2", exact_match, TEXTS)
