"""What failed, in few words: the most frequent errors of cells, and checks of partitions."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from itemeval_assets.core.text.secrets import without_secrets

_MOST_SHOWN, _LONGEST = 3, 200
# What differs from one call to the next: numbers, and ids of requests.
_PASSING = re.compile(r"\b(?:[\w-]*\d[\w-]*)\b")


class ErrorCount(NamedTuple):
    """An error text, shortened, and how many cells have it."""

    error: str
    cells: int


class FailedCheck(NamedTuple):
    """A check that failed for a partition of an asset, which people know by its label."""

    asset: str
    check: str
    partition: tuple[str, ...]
    label: str


def most_frequent(errors: Iterable[str], environment: Mapping[str, str]) -> list[ErrorCount]:
    """The most frequent of these texts, without secrets.

    Texts that differ only in what passes, as the id of a request, are one: the first is shown.
    """
    found: dict[str, ErrorCount] = {}
    for error in errors:
        # Cut twice: a secret that is cut in two would not be known for one.
        text = " ".join(without_secrets(error[: 10 * _LONGEST], environment).split())
        kind = _PASSING.sub("#", text)[:_LONGEST]
        known = found.get(kind, ErrorCount(_shortened(text), 0))
        found[kind] = known._replace(cells=known.cells + 1)
    return sorted(found.values(), key=lambda one: -one.cells)[:_MOST_SHOWN]


def in_words(errored: int, errors: Iterable[ErrorCount]) -> str:
    """How many cells failed, a line for each of the most frequent reasons, and what to do."""
    shown = list(errors)
    rest = errored - sum(one.cells for one in shown)
    lines = [f"  {one.cells} x {one.error}" for one in shown]
    others = [f"  {rest} x other errors"] if rest > 0 else []
    cells = "1 cell" if errored == 1 else f"{errored} cells"
    return "\n".join([f"{cells} errored; run again to repeat only those:", *lines, *others])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
