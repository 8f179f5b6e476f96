"""Replies with a score for each criterion of a rubric: the format, and how they become verdicts.

A reply is data, whatever a model sends: the functions below never raise, and their time grows
linearly with the length of the reply.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.prompts.criteria import Criterion

from .judge_reply import counted_object, verdict_of_value

CRITERIA_FORMAT_VERSION = 1
"""Part of the identity of a judge with criteria: see `JUDGE_FORMAT_VERSION`."""

_NOTICE = """

---
How to report your grades: think as long as you need, then finish your reply with one fenced JSON \
block of exactly this form, and write nothing after it.

```json
{
%s
}
```

Each `"score"` is a plain number, with no fraction, unit or maximum. Each `"reasoning"` is \
a short justification in one JSON string; inside it, write each backslash twice.
"""


def criteria_notice(criteria: Sequence[Criterion]) -> str:
    """What is appended to each rendered rubric with criteria."""
    lines = (
        f'  "{one.name}": {{"score": <number{_range(one)}>, "reasoning": "<why>"}}'
        for one in criteria
    )
    return _NOTICE % ",\n".join(lines)


def _range(criterion: Criterion) -> str:
    if criterion.scale is None:
        return ""
    low, high = (int(end) if end.is_integer() else end for end in criterion.scale)
    return f" from {low} to {high}"


def criteria_schema(criteria: Sequence[Criterion]) -> dict[str, Any]:
    """The same format as a JSON schema, for judges with structured replies."""
    of_one = {
        "type": "object",
        "properties": {
            "score": {"type": "number", "description": "The grade, as a plain number."},
            "reasoning": {"type": "string", "description": "A short justification of the grade."},
        },
        "required": ["score", "reasoning"],
        "additionalProperties": False,
    }
    names = [one.name for one in criteria]
    return {
        "type": "object",
        "properties": dict.fromkeys(names, of_one),
        "required": names,
        "additionalProperties": False,
    }


def criterion_verdict(name: str, names: tuple[str, ...], reply: str | None) -> Verdict:
    """The verdict of one criterion in a reply to a rubric that has these.

    Codes: those of a judge; `no_score_in_json`: the reply says nothing of this criterion.
    """
    found, code = _object(names, reply)
    return Verdict.failed(code) if found is None else _of_criterion(found, name)


def total_verdict(names: tuple[str, ...], reply: str | None) -> Verdict:
    """The sum of all criteria; `score_raw` has each of them.

    Codes: those of a judge; `criterion_without_score`: one of the criteria has none.
    """
    found, code = _object(names, reply)
    if found is None:
        return Verdict.failed(code)
    verdicts = {name: _of_criterion(found, name) for name in names}
    raw = json.dumps({name: one.score for name, one in verdicts.items()})
    said = {name: one.reasoning for name, one in verdicts.items() if one.reasoning}
    reasoning = "\n".join(f"{name}: {why}" for name, why in said.items()) or None
    scores = [one.score for one in verdicts.values() if one.score is not None]
    if len(scores) < len(names):
        return Verdict.failed("criterion_without_score", raw, reasoning)
    total = sum(scores)
    if not math.isfinite(total):
        return Verdict.failed("score_not_finite", raw, reasoning)
    return Verdict.scored(total, raw, reasoning)


def _object(names: tuple[str, ...], reply: str | None) -> tuple[dict[str, Any] | None, str]:
    """The object with all criteria, else one with any; and why there is none."""
    whole = counted_object(reply, lambda value: all(name in value for name in names))
    if whole[0] is not None:
        return whole
    return counted_object(reply, lambda value: any(name in value for name in names))


def _of_criterion(found: dict[str, Any], name: str) -> Verdict:
    value = found.get(name)
    if isinstance(value, dict):
        value, reasoning = value.get("score", _NOTHING), value.get("reasoning")
        return _NO_SCORE if value is _NOTHING else verdict_of_value(value, reasoning)
    return verdict_of_value(value, None) if name in found else _NO_SCORE


_NOTHING = object()
_NO_SCORE = Verdict.failed("no_score_in_json")
