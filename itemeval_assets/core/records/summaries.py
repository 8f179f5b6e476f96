"""Summaries of scores: small, finite, by condition, with what they leave out."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.core.text.words import counted

BINS = 11
# A judge may write any number that a double holds; the ends of the scale take what is beyond.
FARTHEST = 1e9
# From this share of missing cells on, what they could change stands beside the figure.
MANY = 0.02


class Scale(NamedTuple):
    """The range that scores are shown on. `low` is below `high`."""

    low: float
    high: float

    def share(self, score: float) -> float:
        """Where a score stands on the scale, from 0 to 1."""
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))


class Graded(NamedTuple):
    """Cells of the design, and what came of them.

    `scored` cells have a score. `histogram` has their scores in eleven bins, whose centres are the
    tenths of the scale, both ends included.
    `left_out`: {state: cells} of all others; `failures`: {parse_error: cells} of the unparsed.
    """

    scored: int
    scale: Scale
    histogram: list[int]
    failures: dict[str, int]
    left_out: dict[str, int]

    @property
    def cells(self) -> int:
        return self.scored + sum(self.left_out.values())

    @property
    def returned(self) -> int:
        """Cells of which something came back, with a score or without."""
        return self.scored + self.failed

    @property
    def failed(self) -> int:
        """Cells of which something came back, without a score."""
        return sum(self.failures.values())


class ItemScores(NamedTuple):
    """Mean scores over replications, which are missing where no cell has a score.

    `items`: the item_ids, hardest first: by the mean share of the scale over all conditions;
    those that nobody could score come before.
    `means`: {graded by: {condition: {item_id: mean}}}; a scale for each judge or scorer.
    `left_out`: {state: cells} that no mean holds.
    """

    items: list[str]
    means: dict[str, dict[str, dict[str, float]]]
    scales: dict[str, Scale]
    left_out: dict[str, int]


def left_out_words(left_out: Mapping[str, int]) -> str:
    """What a mean leaves out, and why: `2 unparsed, 1 errored`; `none` where it is of all."""
    counts = [(state, left_out.get(state, 0)) for state in CELL_STATES]
    parts = [f"{count:,} {state.replace('_', ' ')}" for state, count in counts if count]
    return ", ".join(parts) or "none"


def scored_words(graded: Graded) -> str:
    """`24 scores; left out: 2 unparsed, 1 errored`."""
    scored = counted(graded.scored, "score")
    out = left_out_words(graded.left_out)
    return scored if out == "none" else f"{scored}; left out: {out}"


def scale_of(scores: Iterable[float]) -> Scale:
    """0 to 1; where scores reach beyond, to the next of 1, 2, 5, 10, 20, ..., up or down."""
    found = [0.0, *scores]
    return Scale(0.0 - _round_up(-min(found)), max(1.0, _round_up(max(found))))


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    if value >= FARTHEST:
        return FARTHEST
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if value <= step * power), 10 * power)
