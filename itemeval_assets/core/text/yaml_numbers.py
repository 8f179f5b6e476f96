"""Numbers as people write them and YAML does not: what to write instead."""

import re
from decimal import Decimal

__all__ = ["misread_number", "number_advice"]

THOUSANDS = re.compile(r"[-+]?\d{1,3}([ ,.'_\u00a0\u2009\u202f])\d{3}(\1\d{3})*")
COMMA = re.compile(r"[-+]?\d*,\d+")
EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d{1,2}")
PERCENT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*%")
# YAML 1.1 reads a leading zero as octal and colons as base 60.
OCTAL = re.compile(r"[-+]?0[0-7_]+")
BASE_60 = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")


def number_advice(text: str) -> str | None:
    """What to write where a number was meant by `text`; None where none can be seen in it."""
    text = text.strip()
    if EXPONENT.fullmatch(text):
        return f"YAML reads {text} as text: write {_plain(Decimal(text))}"
    if percent := PERCENT.fullmatch(text):
        share = Decimal(percent[1].replace(",", ".")) / 100
        return f"YAML knows no percent sign: write {_plain(share)} for {text}"
    if COMMA.fullmatch(text):
        decimal = _plain(Decimal(text.replace(",", ".")))
        if THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0"):
            return f"YAML wants {decimal} for {text}, or {text.replace(',', '')} for thousands"
        return f"YAML wants {decimal} for {text}: a decimal point, no comma"
    if found := THOUSANDS.fullmatch(text):
        return f"YAML wants {text.replace(found[1], '')} for {text}: no marks between thousands"
    return None


def misread_number(text: str) -> str | None:
    """What to write for a number that YAML takes for another: 010 is 8, and 1:30 is 90."""
    if OCTAL.fullmatch(text) and len(text.lstrip("+-0")) > 0:
        decimal = text.replace("_", "").lstrip("+-0")
        return f"YAML reads {text} as octal: write {decimal}, or put quotes around a text"
    if BASE_60.fullmatch(text):
        return f"YAML reads {text} in base 60: write a plain number, or put quotes around a text"
    return None


def _plain(value: Decimal) -> str:
    """Without an exponent, which YAML 1.1 reads as a number only in one of its spellings."""
    return format(value, "f").removesuffix(".0")
