"""contains: the target stands somewhere in the answer."""

from collections.abc import Callable
from functools import partial
from typing import Literal
from unicodedata import combining, normalize

from pydantic import Field

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.scorers.exact_match import as_one_line
from itemeval_assets.core.grading.scorers.payload import payload_of
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .section import RulesConfig

# As the stream-safe format of Unicode has it (UAX 15): no word has more.
_MOST_MARKS = 30


class ContainsConfig(RulesConfig):
    """Whether the target is a part of the answer."""

    type: Literal["contains"] = Field(description="the type of scorer", json_schema_extra=IDENTITY)
    ignore_case: bool = Field(
        default=True,
        description="contains: upper and lower case are the same",
        examples=[False],
        json_schema_extra=IDENTITY,
    )

    @property
    def version(self) -> str:
        return "1"

    @property
    def targets(self) -> Targets:
        return Targets(
            "a text that is not empty", lambda target: bool(_folded(target, self.ignore_case))
        )

    def rules(self) -> Callable[[str, str], Verdict]:
        return partial(_verdict, self.ignore_case)


def _verdict(ignore_case: bool, solution: str, target: str) -> Verdict:
    """1.0 where the answer holds the target, with NFC, whitespace and curly quotation marks folded
    on both sides. Code: `empty_target`.
    """
    expected = _folded(target, ignore_case)
    if not expected:
        return Verdict.failed("empty_target")
    payload = payload_of(solution).text
    return Verdict.scored(1.0 if expected in _folded(payload, ignore_case) else 0.0, payload)


def _folded(text: str, ignore_case: bool) -> str:
    folded = as_one_line(text)
    return _composed(folded.casefold() if ignore_case else folded)


def _composed(text: str) -> str:
    """NFC, of which the time is linear only where no letter has marks without end."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return normalize("NFC", "".join(kept))
