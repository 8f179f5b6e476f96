"""Texts: what a model sends as a table can hold it, and amounts as people read them."""

import math
import re

_LEAST_USD = 0.00005
_SHOWN = 60
# The controls of ASCII and Latin-1, and those of the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined; lone surrogates and NULs become U+FFFD.

    UTF-8 has no lone surrogates, and readers of CSV cut a text at a NUL.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", "\ufffd")


def printable(text: str) -> str:
    """The text with control characters as escapes: none moves the cursor, or hides other text.

    Line breaks and tabs stay.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def bytes_of(text: str) -> int:
    """How long a text is in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def as_identifier(name: str) -> str:
    """The name of a study where letters, digits and `_` alone are allowed, as in Dagster."""
    return name.replace("-", "_")


def cut(text: str, longest: int = _SHOWN) -> str:
    """The text as a message shows it: the beginning of a long one."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def counted(count: int, what: str) -> str:
    """`1 item`, `1,200 items`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def dollars(usd: float | None) -> str:
    """An amount: whole cents, or four decimals, or two digits of less; null: there is no price."""
    if usd is None:
        return "no price"
    if not usd:
        return "$0"
    decimals = 2 if math.isclose(usd, round(usd, 2)) else 4
    if abs(usd) < _LEAST_USD:
        decimals = 1 - math.floor(math.log10(abs(usd)))
    return f"${usd:,.{decimals}f}"
