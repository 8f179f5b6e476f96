"""JSON objects in a text that a model wrote: which one counts, and its value.

A text is data: no function but `decode` raises, and their time grows linearly with its length.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Wanted = Callable[[dict[str, Any]], bool]

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


class Spans(NamedTuple):
    """The texts of the outermost objects: the one that counts, if any is wanted, and the others."""

    best: str | None
    others: list[str]

    def __bool__(self) -> bool:
        return self.best is not None or bool(self.others)


def object_spans(text: str, is_wanted: Wanted) -> Spans:
    """The outermost JSON objects of a text.

    Of those that are wanted, the last in a fenced block counts, else the last bare one. What
    stands inside a string, or follows a break inside an object that was cut off or malformed, is
    no outermost one. Keys and values are tried with their stray backslashes replaced by letters.
    """
    position, fence = 0, ""
    latest: dict[bool, slice] = {}  # fenced or bare: the last object that is wanted
    others: list[slice] = []
    for start, end, found in _outermost_objects(_BACKSLASH.sub(_masked, text), is_wanted):
        # Fences are looked for between objects only: one inside a string is part of the string.
        fence = _fence_state(text, position, start, fence)
        if found:
            latest[fence != ""] = slice(start, end)
        else:
            others.append(slice(start, end))
        position = end
    span = latest.get(True) or latest.get(False)
    return Spans(text[span] if span else None, [text[other] for other in others])


def find_object(text: str, is_wanted: Wanted) -> tuple[dict[str, Any] | None, bool]:
    """The object of a text that counts, and whether there is any object at all."""
    spans = object_spans(text, is_wanted)
    for reading in readings(spans.best or ""):
        try:
            return decode(reading), True
        except (ValueError, RecursionError):
            continue
    return None, bool(spans)


def readings(text: str) -> Iterator[str]:
    """A JSON text as written, then with its stray backslashes repaired."""
    yield text
    yield _BACKSLASH.sub(_doubled, text)


def decode(text: str, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The value of one JSON text. Raises ValueError or RecursionError where it has none."""
    return json.JSONDecoder(object_hook=object_hook, parse_int=_integer, strict=False).decode(text)


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


def _outermost_objects(text: str, is_wanted: Wanted) -> Iterator[tuple[int, int, bool]]:
    """Where the outermost JSON objects of the text begin and end, and whether they are wanted.

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
                yield offset + start, offset + position, is_wanted(value)
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


def _masked(backslash: re.Match[str]) -> str:
    """A stray backslash becomes a letter: the length stays, and the decoder reads on."""
    return backslash[0] if len(backslash[0]) > 1 else "_"


def _doubled(backslash: re.Match[str]) -> str:
    return backslash[0] if len(backslash[0]) > 1 else "\\\\"
