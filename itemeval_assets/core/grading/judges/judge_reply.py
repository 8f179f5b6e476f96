"""The judge's side of grading: the format we ask for, and how its reply becomes a verdict.

A reply is data, whatever a model sends: the functions below never raise, and their time grows
linearly with the length of the reply.
"""

import math
from functools import partial
from typing import Any

from itemeval_assets.core.grading.json_objects import Wanted, decode, object_spans, readings
from itemeval_assets.core.grading.verdict import Verdict

JUDGE_FORMAT_VERSION = 1
"""Part of a judge condition's identity: raise it when the notice changes, or when a reply that has
a score would get another one. It stays where a reply that had none becomes readable."""

FORMAT_NOTICE = """

---
How to report your grade: think as long as you need, then finish your reply with one fenced JSON \
block of exactly this form, and write nothing after it.

```json
{"score": <number>, "reasoning": "<why>"}
```

`"score"` is a plain number, with no fraction, unit or maximum. `"reasoning"` is \
a short justification in one JSON string; inside it, write each backslash twice.
"""
"""Appended to every rendered rubric."""

REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "score": {"type": "number", "description": "The grade, as a plain number."},
        "reasoning": {
            "type": "string",
            "description": "A short justification of the grade.",
        },
    },
    "required": ["score", "reasoning"],
    "additionalProperties": False,
}
"""The same format as a JSON schema, for judges with structured replies."""


def parse_judge_reply(text: str | None) -> Verdict:
    """The verdict in a judge's reply: that of its first candidate object with a key `score`.

    Candidates are the outermost JSON objects of the reply: those in fenced blocks from the last
    to the first, then the bare ones from the last to the first. Where none of them has a score,
    and exactly one object inside them does, at whatever depth, that one counts: the points of
    one criterion among several cannot pass for the grade. What stands inside a string, or follows
    a break inside an object that was cut off or malformed, never counts.

    Codes: `no_json_object`, `no_score_in_json`, `score_not_numeric`, `score_not_finite`.
    """
    found, code = counted_object(text, _has_score)
    if found is None:
        return Verdict.failed(code)
    return verdict_of_value(found["score"], found.get("reasoning"))


def counted_object(text: str | None, is_wanted: Wanted) -> tuple[dict[str, Any] | None, str]:
    """The object of a reply that counts among those that are wanted; else null, and the code."""
    spans = object_spans(text or "", is_wanted)
    if spans.best:
        found = _wanted_objects(spans.best, is_wanted)[-1:]  # the outermost is read last
    else:
        found = [one for other in spans.others for one in _wanted_objects(other, is_wanted)]
    if len(found) == 1:
        return found[0], ""
    return None, "no_score_in_json" if spans else "no_json_object"


def verdict_of_value(value: Any, reasoning: Any) -> Verdict:
    """The verdict that the JSON value of a score is, with what the judge says of it."""
    raw, reasoning = _repr(value), _as_text(reasoning)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Verdict.failed("score_not_numeric", raw, reasoning)
    try:
        score = float(value)
    except OverflowError:
        score = math.inf
    except ValueError:
        return Verdict.failed("score_not_numeric", raw, reasoning)
    if not math.isfinite(score):
        return Verdict.failed("score_not_finite", raw, reasoning)
    return Verdict.scored(score, raw, reasoning)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except RecursionError:
        return "(nested too deeply)"


def _wanted_objects(text: str, is_wanted: Wanted) -> list[dict[str, Any]]:
    """The objects that are wanted in one JSON text, each after those inside it."""
    for reading in readings(text):
        found: list[dict[str, Any]] = []
        try:
            decode(reading, partial(_collect, found, is_wanted))
        except (ValueError, RecursionError):
            continue
        return found
    return []


def _has_score(value: dict[str, Any]) -> bool:
    return "score" in value


def _collect(
    found: list[dict[str, Any]], is_wanted: Wanted, value: dict[str, Any]
) -> dict[str, Any]:
    if is_wanted(value):
        found.append(value)
    return value
