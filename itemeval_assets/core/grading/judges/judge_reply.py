"""The judge's side of grading: the format we ask for, and how its reply becomes a verdict.

A reply is data, whatever a model sends: the functions below never raise, and their time grows
linearly with the length of the reply.
"""

import math
from functools import partial
from typing import Any

from itemeval_assets.core.grading.json_objects import decode, object_spans, readings
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
    spans = object_spans(text or "", _has_score)
    if spans.best:
        found = _scored_objects(spans.best)[-1:]  # the outermost is read last
    else:
        found = [inner for other in spans.others for inner in _scored_objects(other)]
    if len(found) != 1:
        return Verdict.failed("no_score_in_json" if spans else "no_json_object")
    return _verdict(found[0]["score"], _as_text(found[0].get("reasoning")))


def _verdict(value: Any, reasoning: str | None) -> Verdict:
    raw = _repr(value)
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


def _scored_objects(text: str) -> list[dict[str, Any]]:
    """The objects with a score in one JSON text, each after those inside it."""
    for reading in readings(text):
        found: list[dict[str, Any]] = []
        try:
            decode(reading, partial(_collect, found))
        except (ValueError, RecursionError):
            continue
        return found
    return []


def _has_score(value: dict[str, Any]) -> bool:
    return "score" in value


def _collect(found: list[dict[str, Any]], value: dict[str, Any]) -> dict[str, Any]:
    if "score" in value:
        found.append(value)
    return value
