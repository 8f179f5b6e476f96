"""regex: what a pattern finds in the answer is compared with the target."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import re2
from pydantic import Field, ValidationInfo, field_validator

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.scorers.exact_match import EXACT_MATCH, TEXTS, exact_match
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.words import counted, well_formed
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .section import RulesConfig

_FLAGS = "ims"


class RegexConfig(RulesConfig):
    """A pattern of RE2, which takes a time that grows linearly with the answer."""

    type: Literal["regex"] = Field(
        description="the type of scorer", examples=["regex"], json_schema_extra=IDENTITY
    )
    pattern: str = Field(
        min_length=1,
        description="regex: a pattern of RE2",
        examples=["answer is (\\d+)"],
        json_schema_extra=IDENTITY,
    )
    group: int | str | None = Field(
        default=None,
        description="regex: the group to compare, by number or name; null: the first, or the whole "
        "match where there is none",
        examples=[1],
        json_schema_extra=IDENTITY,
    )
    flags: str | None = Field(
        default=None,
        description="regex: i, m, s: ignore case, ^ and $ at each line, . takes a line break",
        examples=["i"],
        json_schema_extra=IDENTITY,
    )
    match: Literal["last", "first"] = Field(
        default="last", description="regex: which match counts", json_schema_extra=IDENTITY
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            compiled(pattern)
        except re2.error as error:
            raise ValueError(refusal(error)) from None
        return pattern

    @field_validator("group")
    @classmethod
    def _is_there(cls, group: int | str | None, info: ValidationInfo) -> int | str | None:
        pattern = info.data.get("pattern")
        if pattern is None or group is None:
            return group
        found = compiled(pattern)
        if isinstance(group, str) and group not in found.groupindex:
            known = did_you_mean(group, found.groupindex)
            raise ValueError(f"the pattern has no group of the name {group!r}; {known}")
        if isinstance(group, int) and not 0 <= group <= found.groups:
            raise ValueError(
                f"the pattern has no group {group}: it has {counted(found.groups, 'group')}, "
                "and 0 is the whole match"
            )
        return group

    @field_validator("flags")
    @classmethod
    def _known_flags(cls, flags: str | None) -> str | None:
        given = sorted(flags or "")
        if not {*given} <= {*_FLAGS} or len({*given}) < len(given):
            raise ValueError(f"give letters out of i, m and s, each once; found {flags!r}")
        return "".join(given) or None

    @property
    def version(self) -> str:
        return f"1.{EXACT_MATCH.columns['scorer_version']}"

    @property
    def targets(self) -> Targets:
        return TEXTS

    def rules(self) -> Callable[[str, str], Verdict]:
        found = compiled(self.pattern, self.flags)
        first = 1 if found.groups else 0
        group = first if self.group is None else self.group
        return partial(_verdict, found, group, self.match == "last")


def compiled(pattern: str, flags: str | None = None) -> Any:
    """A pattern of RE2. Raises `re2.error`, which `refusal` puts into words."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(f"(?{flags}){pattern}" if flags else pattern, options)


def _verdict(
    pattern: Any, group: int | str, takes_last: bool, solution: str, target: str
) -> Verdict:
    """The verdict of exact_match on what the pattern finds.

    Codes: `no_match` where no match has a text in the group, as where the pattern matches nothing
    at the end of each answer, and those of exact_match.
    """
    texts = (match[group] for match in pattern.finditer(well_formed(solution)) if match[group])
    found = next(iter(deque(texts, maxlen=1)), None) if takes_last else next(texts, None)
    return Verdict.failed("no_match") if found is None else exact_match(found, target)


def refusal(error: Exception) -> str:
    """Why RE2 does not take a pattern."""
    said = error.args[0] if error.args else ""
    why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return (
        f"RE2 does not take this pattern: {why}. It has no lookaround and no backreferences. In "
        "YAML put a pattern in single quotes"
    )
