"""Texts on a sheet: shown so that a spreadsheet runs none, and known again when they come back."""

import math
import re
import unicodedata
from typing import Any

from itemeval_assets.core.text.spreadsheet import FORMULA
from itemeval_assets.core.text.words import well_formed

# As many characters a cell of Excel holds; it cuts the rest off.
LONGEST_CELL = 32_767
# From so many on, a text that is the beginning of another one may have been cut.
_MAY_BE_CUT = 32_000
_FORMULA = re.compile(FORMULA)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# How a workbook writes a carriage return.
_RETURN = re.compile("_x000[dD]_")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")


def shown(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """What `shown` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def without_controls(text: str) -> str:
    """The text as a workbook can hold it."""
    return _CONTROL.sub("\ufffd", well_formed(text))


def is_same(given: str, kept: str) -> bool:
    """Whether a text of a sheet is still the one that was written there.

    Spreadsheets change white space, line ends and marks of formulas, and cut long texts: that is
    no change.
    """
    wanted = (_comparable(kept), _comparable(shown(kept)))
    found = _comparable(given)
    if found in wanted:
        return True
    return len(given) >= _MAY_BE_CUT and any(one.startswith(found) for one in wanted)


def score_of(given: Any) -> float | None:
    """The number that a person wrote, with a point or a comma; null where it is none."""
    if isinstance(given, bool):
        return None
    if isinstance(given, str):
        text = given.strip().removeprefix("'")
        if not _NUMBER.fullmatch(text):
            return None
        given = text.replace(",", ".")
    try:
        number = float(given)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _comparable(text: str) -> str:
    text = _RETURN.sub("", without_controls(text)).replace("\ufffd", "")
    return " ".join(unicodedata.normalize("NFC", text).split())
