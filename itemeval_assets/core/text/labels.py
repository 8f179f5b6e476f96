"""Labels: what people see of a condition. Unique within a study, and no longer than that needs."""

from collections.abc import Sequence
from typing import NamedTuple

# Between the two labels of a pair. A grader's name may hold it; a model's id holds no space.
_PAIR_MARK = " | "
_BETWEEN = " · "
_DIGEST_LENGTHS = (6, 12)


class Part(NamedTuple):
    """One part of a label: what is shown, and what is where that leaves two labels alike."""

    short: str
    full: str


Grown = tuple[bool, ...]


def unique_labels(parts: Sequence[Sequence[Part]], digests: Sequence[str]) -> list[str]:
    """A label for each condition, from its parts in order.

    Where labels are alike, the first part that tells the conditions apart is shown in full; where
    none does, the start of the digest is added. Two digests differ.
    """
    width = max(map(len, parts), default=0)
    rows = [(*row, *[Part("", "")] * (width - len(row))) for row in parts]
    grown: list[Grown] = [(False,) * width for _ in rows]
    labels = [_label(row, state) for row, state in zip(rows, grown, strict=True)]
    while alike := _alike(labels):
        before = list(grown)
        for group in alike:
            place = _telling(rows, grown, group)
            if place is not None:
                for number in group:
                    state = grown[number]
                    grown[number] = (*state[:place], True, *state[place + 1 :])
        if grown == before:
            break
        labels = [_label(row, state) for row, state in zip(rows, grown, strict=True)]
    for length in _DIGEST_LENGTHS:
        for group in _alike(labels):
            for number in group:
                shown = _label(rows[number], grown[number])
                labels[number] = f"{shown} ({digests[number][:length]})"
    return labels


def pair_label(labels: Sequence[str]) -> str:
    """What a generate x grade pair is called, or a generate condition alone."""
    return _PAIR_MARK.join(labels)


def labels_in(label: str, partition: Sequence[str]) -> list[str]:
    """The label of each condition, from what `pair_label` made of them."""
    return label.split(_PAIR_MARK, len(partition) - 1)


def label_parts(label: str) -> tuple[str, str, str, str]:
    """Model, prompt, config and grader in the label of a generate condition, or of a pair.

    What the label leaves out is empty.
    """
    own, _, grader = label.partition(_PAIR_MARK)
    model, prompt, config = [*own.split(_BETWEEN, 2), "", ""][:3]
    return model, prompt, config, grader


def _label(row: Sequence[Part], grown: Grown) -> str:
    shown = [part.full if full else part.short for part, full in zip(row, grown, strict=True)]
    return _BETWEEN.join(_one_line(text) for text in shown if text)


def _one_line(text: str) -> str:
    """Without what is not seen, or breaks a line: white space is one space."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def _alike(labels: Sequence[str]) -> list[list[int]]:
    """The places of labels that several conditions have."""
    found: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        found.setdefault(label, []).append(number)
    return [group for group in found.values() if len(group) > 1]


def _telling(
    rows: Sequence[Sequence[Part]], grown: Sequence[Grown], group: Sequence[int]
) -> int | None:
    """The first part, not yet in full, that differs within the group once it is."""
    for place in range(len(grown[group[0]])):
        if all(grown[number][place] for number in group):
            continue
        if len({_one_line(rows[number][place].full) for number in group}) > 1:
            return place
    return None
