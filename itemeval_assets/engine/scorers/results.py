"""What code of others returned or raised, as the four fields of a line that tells of one grading.

A line is a JSON list: the score or null, the code of the failure or null, what was returned, and
the explanation or the message.
"""

import json
import math
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itemeval_assets.core.grading.code import FAILED, NOT_FINITE, NOT_NUMERIC, of_inspect
from itemeval_assets.host import exits

_LONGEST, _SHORT = 2_000, 100
# A row says the same on each machine, and in each run.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Result(NamedTuple):
    """One grading: it has a score, or the code of what went wrong."""

    score: float | None
    code: str | None
    raw: str | None = None
    told: str | None = None

    def line(self) -> bytes:
        return json.dumps(self).encode() + b"\n"


def result_of(value: Any) -> Result:
    """What a scorer returned: a number, a truth value, or a Score of inspect_ai."""
    told, raw = None, _cut(_ADDRESS.sub("", repr(value)))
    inspect = sys.modules.get("inspect_ai.scorer")
    if inspect is not None and isinstance(value, inspect.Score):
        told = value.explanation or value.reason
        raw = _cut(str(value.value) if value.answer is None else value.answer)
        value = of_inspect(value.value)
    number = _number(value)
    if number is None:
        said = f"it returned {_cut(raw, _SHORT)}, which is a {type(value).__name__}"
        return Result(None, NOT_NUMERIC, raw, told or said)
    if not math.isfinite(number):
        return Result(None, NOT_FINITE, raw, told or f"it returned {_cut(raw, _SHORT)}")
    return Result(number, None, raw, told and _cut(told))


def failure_of(error: BaseException, file: str = "") -> Result:
    """What a scorer raised, and the line of its file that did. No row names a machine's folder."""
    return Result(None, FAILED, None, message_of(error, file, shown=_name))


def message_of(error: BaseException, file: str = "", shown: Callable[[str], str] = str) -> str:
    """The class and message of an error, and the last place in `file`, or of all, where it was.

    `shown`: how the path of a file is told.
    """
    try:
        said = str(error)
    except Exception:
        said = "(its message cannot be read)"
    frames = traceback.extract_tb(error.__traceback__)
    place = place_in([one for one in frames if one.filename != exits.__file__], file, shown)
    return _cut(f"{type(error).__name__}: {said}" if said else type(error).__name__) + place


def place_in(
    frames: Sequence[traceback.FrameSummary], file: str, shown: Callable[[str], str] = str
) -> str:
    """The last of some frames that is in `file`, or of all; empty where there is none."""
    own = [frame for frame in frames if frame.filename == file] or frames[-1:]
    return f" ({shown(own[-1].filename)}, line {own[-1].lineno})" if own else ""


def _name(path: str) -> str:
    return Path(path).name


def _number(value: Any) -> float | None:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # of numpy and its like
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
