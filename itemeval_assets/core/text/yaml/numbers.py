"""Numbers as people write them and YAML does not: what to write instead."""

import re
from decimal import Decimal

_THOUSANDS = re.compile(r"[-+]?\d{1,3}([ ,.'_\u00a0\u2009\u202f])\d{3}(\1\d{3})*")
_COMMA = re.compile(r"[-+]?\d*,\d+")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d{1,2}")
_AMOUNT = re.compile(r"(?:\$|USD)\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*(?:\$|USD)")
_NAMED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WORDS = {word: number for number, word in enumerate(_NAMED)}
_PERCENT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*%")
# YAML 1.1 reads a leading zero as octal and colons as base 60.
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_BASE_60 = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")


def number_advice(text: str) -> str | None:
    """What to write where a number was meant by `text`; None where none can be seen in it."""
    rules = (_of_exponent, _of_percent, _of_amount, _of_word, _of_comma, _of_thousands)
    return next(filter(None, (rule(text.strip()) for rule in rules)), None)


def _of_exponent(text: str) -> str | None:
    found = _EXPONENT.fullmatch(text)
    return f"YAML reads {text} as text: write {_plain(Decimal(text))}" if found else None


def _of_percent(text: str) -> str | None:
    if not (percent := _PERCENT.fullmatch(text)):
        return None
    share = Decimal(percent[1].replace(",", ".")) / 100
    return f"YAML knows no percent sign: write {_plain(share)} for {text}"


def _of_amount(text: str) -> str | None:
    amount = _AMOUNT.fullmatch(text)
    return f"give the number alone: write {amount[1] or amount[2]} for {text}" if amount else None


def _of_word(text: str) -> str | None:
    number = _WORDS.get(text.lower())
    return None if number is None else f"give the number in digits: write {number} for {text}"


def _of_comma(text: str) -> str | None:
    if not _COMMA.fullmatch(text):
        return None
    decimal = _plain(Decimal(text.replace(",", ".")))
    if _THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0"):
        return f"YAML wants {decimal} for {text}, or {text.replace(',', '')} for thousands"
    return f"YAML wants {decimal} for {text}: a decimal point, no comma"


def _of_thousands(text: str) -> str | None:
    if not (found := _THOUSANDS.fullmatch(text)):
        return None
    return f"YAML wants {text.replace(found[1], '')} for {text}: no marks between thousands"


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
