"""Numbers as people write them and YAML does not: what to write instead."""

import re
from decimal import Decimal

_THOUSANDS = re.compile(r"[-+]?\d{1,3}([ ,.'_\u00a0\u2009\u202f])\d{3}(\1\d{3})*")
_COMMA = re.compile(r"[-+]?\d*,\d+")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d{1,2}")
_PERCENT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*%")
# YAML 1.1 reads a leading zero as octal and colons as base 60.
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_BASE_60 = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")


def number_advice(text: str) -> str | None:
    """What to write where a number was meant by `text`; None where none can be seen in it."""
    text = text.strip()
    if _EXPONENT.fullmatch(text):
        return f"YAML reads {text} as text: write {_plain(Decimal(text))}"
    if percent := _PERCENT.fullmatch(text):
        share = Decimal(percent[1].replace(",", ".")) / 100
        return f"YAML knows no percent sign: write {_plain(share)} for {text}"
    if _COMMA.fullmatch(text):
        decimal = _plain(Decimal(text.replace(",", ".")))
        if _THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0"):
            return f"YAML wants {decimal} for {text}, or {text.replace(',', '')} for thousands"
        return f"YAML wants {decimal} for {text}: a decimal point, no comma"
    if found := _THOUSANDS.fullmatch(text):
        return f"YAML wants {text.replace(found[1], '')} for {text}: no marks between thousands"
    return None


def misread_number(text: str) -> str | None:
    """What to write for a number that YAML takes for another: 010 is 8, and 1:30 is 90."""
    if _OCTAL.fullmatch(text) and len(text.lstrip("+-0")) > 0:
        decimal = text.replace("_", "").lstrip("+-0")
        return f"YAML reads {text} as octal: write {decimal}, or put quotes around a text"
    if _BASE_60.fullmatch(text):
        return f"YAML reads {text} in base 60: write a plain number, or put quotes around a text"
    return None


def _plain(value: Decimal) -> str:
    """Without an exponent, which YAML 1.1 reads as a number only in one of its spellings."""
    return format(value, "f").removesuffix(".0")
