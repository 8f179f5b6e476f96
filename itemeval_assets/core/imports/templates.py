"""A template, rebuilt from what models were shown: each value back to its placeholder.

Where two texts of one template part, a placeholder stands whose values differ. The hash of the
template tells which of the possible ones is right, so that nothing is taken for granted.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from os.path import commonprefix
from typing import NamedTuple

_DIGITS = 12
# A rendered template is a page: what takes longer than this is not one.
_MOST_STEPS, _MOST_CANDIDATES, _MOST_FILLED = 5_000, 20_000, 4
_MOST_PLACES, _MOST_OF_SAME = 40, 200


class Shown(NamedTuple):
    """What a model was shown for an item, and the values that its placeholders may stand for."""

    text: str
    values: Mapping[str, str]


def rebuilt(shown: Sequence[Shown], digest: str, *, has_notice: bool = False) -> str | None:
    """The template that these texts were made of; null where none of that hash is found.

    `digest`: the first 12 hex of the sha256 of its text. `has_notice`: other words may follow it.
    """
    names = [name for name in shown[0].values if all(name in one.values for one in shown)]
    values = {name: [one.values[name] for one in shown] for name in names}
    for text in islice(_candidates([one.text for one in shown], values), _MOST_CANDIDATES):
        if (found := _of_hash(text, digest, names, has_notice)) is not None:
            return found
    return None


def _candidates(texts: list[str], values: Mapping[str, list[str]]) -> Iterator[str]:
    """Templates that these texts may be made of, the likely ones first."""
    differ = {name: found for name, found in values.items() if len({*found}) > 1}
    same = {name: found[0] for name, found in values.items() if name not in differ}
    unseen = [name for name, value in same.items() if not value]
    for skeleton in _skeletons(texts, differ, repeat(None, _MOST_STEPS)):
        for number, text in enumerate(_with_same(skeleton, same)):
            yield text
            # What stands nowhere, since it is empty, may have stood anywhere.
            yield from _with_unseen(text, unseen) if number < _MOST_FILLED else ()


def _skeletons(
    texts: list[str], values: Mapping[str, list[str]], steps: Iterator[None]
) -> Iterator[str]:
    """Texts with placeholders that give all these texts, for values that differ."""
    if len({*texts}) == 1:
        yield texts[0]
        return
    shared = commonprefix(texts)  # noqa: RUF071 (texts, and no paths)
    for place in range(len(shared), -1, -1):
        for name, found in values.items():
            pairs = list(zip(texts, found, strict=True))
            is_here = all(text.startswith(value, place) for text, value in pairs)
            if is_here and next(steps, True) is None:
                rest = [text[place + len(value) :] for text, value in pairs]
                for tail in _skeletons(rest, values, steps):
                    yield f"{shared[:place]}{{{name}}}{tail}"


def _with_same(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """The text, and with each value that is the same everywhere in one of its places, if any."""
    present = sorted(filter(None, {*values.values()} & {v for v in values.values() if v in text}))
    names = sorted((n for n in values if values[n] in present), key=lambda n: -len(values[n]))
    return islice(_replaced(text, [(name, values[name]) for name in names]), _MOST_OF_SAME)


def _with_unseen(text: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        for place in range(len(text) + 1):
            yield f"{text[:place]}{{{name}}}{text[place:]}"


def _replaced(text: str, left: Sequence[tuple[str, str]]) -> Iterator[str]:
    if not left:
        yield text
        return
    (name, value), *others = left
    if text.count(value) > 1:
        yield from _replaced(text.replace(value, f"{{{name}}}"), others)
    for place in _places(text, value):
        yield from _replaced(f"{text[:place]}{{{name}}}{text[place + len(value) :]}", others)
    yield from _replaced(text, others)


def _places(text: str, value: str) -> Iterator[int]:
    place = text.find(value)
    for _ in range(_MOST_PLACES):
        if place < 0:
            return
        yield place
        place = text.find(value, place + 1)


def _end_of_placeholders(text: str, names: Iterable[str]) -> int:
    marks = (f"{{{name}}}" for name in names)
    return max((text.rfind(mark) + len(mark) for mark in marks if mark in text), default=0)


def _of_hash(text: str, digest: str, names: Iterable[str], has_notice: bool) -> str | None:
    """The text, or its start where more may follow, of which this is the hash."""
    start = _end_of_placeholders(text, names) if has_notice else len(text)
    found = hashlib.sha256(text[:start].encode())
    for end in range(start, len(text) + 1):
        if found.hexdigest()[:_DIGITS] == digest:
            return text[:end]
        found.update(text[end : end + 1].encode())
    return None
