"""The choices of an item: as a dataset holds them, as a model is shown them, and which is right.

What is unclear is an error, and never guessed: each function raises ValueError with what is wrong.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import Any, Literal, NamedTuple

from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.core.text.words import cut

# Under this name the choices of an item are kept with its metadata, and templates show them.
CHOICES = "choices"
# What `target` may hold of an item with choices.
TargetIs = Literal["letter", "index", "number", "text", "label"]
_FEWEST, _MOST = 2, len(ascii_uppercase)
_LETTERED = re.compile(r"(?:\A|\n)([A-Z])\) ")
_WHOLE_NUMBER = re.compile(r"[0-9]+(\.0)?")


class Choices(NamedTuple):
    """Choices in the order of the dataset, and the labels that it gives them itself, if any."""

    texts: list[str]
    labels: list[str] | None = None


def choices_of(value: Any) -> Choices:
    """The choices that a column holds: a list, a JSON text of one, or `text` beside `label`."""
    found = _from_json(value) if isinstance(value, str) else value
    labels = None
    if isinstance(found, dict):
        if set(found) != {"text", "label"} or not all(isinstance(v, list) for v in found.values()):
            raise ValueError("an object of choices has the lists `text` and `label`, and no others")
        if len(found["text"]) != len(found["label"]):
            raise ValueError("`text` and `label` of the choices differ in length")
        found, labels = found["text"], [_text(label) for label in found["label"]]
    if not isinstance(found, list):
        raise ValueError(f"expected a list of choices; found {cut(str(value))!r}")
    return in_columns(found)._replace(labels=labels)


def in_columns(values: Sequence[Any]) -> Choices:
    """Choices that stand one by one; empty ones at the end are none."""
    texts = [_text(value) for value in values]
    while texts and not texts[-1]:
        texts.pop()
    if "" in texts:
        raise ValueError(f"choice {texts.index('') + 1} of {len(texts)} is empty")
    if not _FEWEST <= len(texts) <= _MOST:
        raise ValueError(f"there are {len(texts)} choices; there must be {_FEWEST} to {_MOST}")
    return Choices(texts)


def place_of(target: Any, choices: Choices, kind: TargetIs) -> int:
    """Which choice is the right one, from 0."""
    given = meant = _text(target)
    known = _names(choices, kind)
    if kind in ("index", "number") and _WHOLE_NUMBER.fullmatch(given):
        meant = str(int(given.removesuffix(".0")))
    if kind == "letter":
        meant = given.upper()
    if known.count(meant) > 1:
        raise ValueError(f"the target {cut(given)!r} is several of the choices")
    if meant not in known:
        there_are = ", ".join(cut(name) for name in known)
        raise ValueError(
            f"the target {cut(given)!r} is no {kind} of a choice; there are {there_are}"
        )
    return known.index(meant)


def refuse_twins(choices: Choices, right: int, columns: str | Sequence[str]) -> None:
    """Raise ValueError where another choice says the same as the right one.

    `columns`: the one that holds all choices, or that of each.
    """
    text = choices.texts[right]
    twins = [place for place, one in enumerate(choices.texts) if one == text]
    if len(twins) > 1:
        if isinstance(columns, str):
            named = f"choices {_and(str(place + 1) for place in twins)} of column {columns!r}"
        else:
            named = f"columns {_and(repr(columns[place]) for place in twins)}"
        raise ValueError(
            f"{named} are the same, {cut(text)!r}, and one of them is the target: several "
            "letters would be right; correct the data, or remove the item"
        )


def shuffled(count: int, seed: int, dataset: str, item_id: str) -> list[int]:
    """The places of choices in an order that depends on the seed and the item alone."""

    def draw(place: int) -> bytes:
        return hashlib.sha256(f"{seed}\n{dataset}\n{item_id}\n{place}".encode()).digest()

    return sorted(range(count), key=draw)


def laid_out(texts: Sequence[str]) -> str:
    """A line for each choice: `A) ...`."""
    return "\n".join(f"{letter_of(place)}) {text}" for place, text in enumerate(texts))


def texts_of(shown: str) -> list[str] | None:
    """The choices that `laid_out` has shown; null where a line of a choice looks like another."""
    _, *parts = _LETTERED.split(shown)
    letters, texts = parts[::2], parts[1::2]
    return texts if texts and letters == [*ascii_uppercase[: len(texts)]] else None


def letter_of(place: int) -> str:
    """The letter of a choice, by its place from 0."""
    return ascii_uppercase[place]


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


def _names(choices: Choices, kind: TargetIs) -> list[str]:
    """What a target of this kind calls each choice."""
    places = range(len(choices.texts))
    if kind == "letter":
        return [letter_of(place) for place in places]
    if kind == "text":
        return choices.texts
    if kind == "label":
        if choices.labels is None:
            raise ValueError("`target_is: label` needs choices with the lists `text` and `label`")
        return choices.labels[: len(choices.texts)]
    return [str(place + (kind == "number")) for place in places]


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, dict | list | tuple | bytes):
        raise ValueError(
            f"a choice or target must be a text or a number; found {cut(str(value))!r}"
        )
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _from_json(text: str) -> Any:
    try:
        return load_json(text)
    except ValueError as error:
        python = text.lstrip().startswith("['") or text.lstrip().startswith("('")
        advice = "; this is a list as Python writes it: write JSON" if python else ""
        raise ValueError(
            f"expected a JSON list, or name several columns; found {cut(text)!r}{advice}"
        ) from error
