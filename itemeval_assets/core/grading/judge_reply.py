"""The judge's side of grading: the format we ask for, and how its reply becomes a verdict.

A reply is data, whatever a model sends: the functions below never raise, and their time grows
linearly with the length of the reply.
"""

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from .verdict import Verdict

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

# A JSON object can only begin like this, which passes over most braces of LaTeX, code and sets.
_OPENING = re.compile(r'\{[ \t\r\n]*["}]')
# A JSON escape, or a backslash that starts none. Where one is stray, `\beta`, `\frac`, `\rho` and
# `\theta` are LaTeX too: of the control characters only a line break stands right before a word.
_BACKSLASH = re.compile(r'\\(?:["\\/n]|[bfrt](?![A-Za-z])|u[0-9A-Fa-f]{4})?')
_FENCE = re.compile(r"(`{3,}|~{3,})(\w?)")
_MEMBER_END = re.compile(r"\s*[,\]}]")

# Past this many broken openings a reply is noise, and only its end is still read. Each failure
# costs a pass over the text before it (the decoder counts lines), hence the bound.
_MAX_BROKEN = 200
_TAIL = 10_000
# Longer integers are read as floats, that is as infinities: int() may refuse 641 digits.
_MAX_INT_LENGTH = 640


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INT_LENGTH else float(digits)


# Not strict about control characters: judges break lines inside the reasoning string.
_DECODER = json.JSONDecoder(parse_int=_integer, strict=False)


def parse_judge_reply(text: str | None) -> Verdict:
    """The verdict in a judge's reply: that of its first candidate object with a key `score`.

    Candidates are the outermost JSON objects of the reply: those in fenced blocks from the last
    to the first, then the bare ones from the last to the first. Where none of them has a score,
    and exactly one object inside them does, at whatever depth, that one counts: the points of
    one criterion among several cannot pass for the grade. What stands inside a string, or follows
    a break inside an object that was cut off or malformed, never counts.

    Codes: `no_json_object`, `no_score_in_json`, `score_not_numeric`, `score_not_finite`.
    """
    text = text or ""
    position, fence = 0, ""
    latest: dict[bool, slice] = {}  # fenced or bare: the last object with a score
    others: list[slice] = []
    for start, end, has_score in _outermost_objects(_BACKSLASH.sub(_masked, text)):
        # Fences are looked for between objects only: one inside a string is part of the string.
        fence = _fence_state(text, position, start, fence)
        if has_score:
            latest[fence != ""] = slice(start, end)
        else:
            others.append(slice(start, end))
        position = end
    span = latest.get(True) or latest.get(False)
    if span:
        found = _scored_objects(text[span])[-1:]  # the outermost is read last
    else:
        found = [inner for other in others for inner in _scored_objects(text[other])]
    if len(found) != 1:
        return Verdict.failed("no_score_in_json" if latest or others else "no_json_object")
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


def _fence_state(text: str, start: int, end: int, fence: str) -> str:
    """The fence open at `end`, given the one open at `start` ("" for none).

    Fences need no line of their own. One with an info string (```json) always opens; an
    unclosed one reaches to the end of the reply.
    """
    for mark in _FENCE.finditer(text, start, end):
        if mark[2] or not fence:
            fence = mark[1]
        elif mark[1].startswith(fence):
            fence = ""
    return fence


def _outermost_objects(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where the outermost JSON objects of the text begin and end, and whether they have a score.

    One forward pass: after a break the scan goes on from the break, not from the next brace, for
    what was read inside the broken object is not outermost, and nothing is read twice.
    """
    position = offset = broken = 0
    while opening := _OPENING.search(text, position):
        start = opening.start()
        try:
            value, position = _DECODER.raw_decode(text, start)
        except RecursionError:
            broken += _MAX_BROKEN // 4  # costly, and it does not say how far it came
            position = opening.end()
        except json.JSONDecodeError as error:
            broken += 1
            position = _resumption(text, start, error.pos)
        else:
            # Past a break, an object before `,` `]` or `}` is a member of the broken one.
            if not (broken and _MEMBER_END.match(text, position)):
                yield offset + start, offset + position, "score" in value
        if broken >= _MAX_BROKEN and not offset:
            offset = max(position, len(text) - _TAIL)
            text, position = text[offset:], 0


def _resumption(text: str, start: int, stop: int) -> int:
    """Where to go on after the object at `start` broke at `stop`.

    An unclosed string swallows everything up to the next quote, which may be the first quote of
    a new object; then that object's brace is the place.
    """
    brace = text.rfind("{", start + 1, stop)
    if brace >= 0 and text[brace + 1 : stop].strip() == '"':
        return brace
    return max(stop, start + 1)


def _scored_objects(text: str) -> list[dict[str, Any]]:
    """The objects with a score in one JSON text, each after those inside it.

    Stray backslashes are repaired only where the text cannot be read as written.
    """
    for repair in (False, True):
        found: list[dict[str, Any]] = []
        decoder = json.JSONDecoder(
            object_hook=partial(_collect, found), parse_int=_integer, strict=False
        )
        try:
            decoder.decode(_BACKSLASH.sub(_doubled, text) if repair else text)
        except (ValueError, RecursionError):
            continue
        return found
    return []


def _collect(found: list[dict[str, Any]], value: dict[str, Any]) -> dict[str, Any]:
    if "score" in value:
        found.append(value)
    return value


def _masked(backslash: re.Match[str]) -> str:
    """A stray backslash becomes a letter: the length stays, and the decoder reads on."""
    return backslash[0] if len(backslash[0]) > 1 else "_"


def _doubled(backslash: re.Match[str]) -> str:
    return backslash[0] if len(backslash[0]) > 1 else "\\\\"
