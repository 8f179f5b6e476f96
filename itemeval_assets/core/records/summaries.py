"""Summaries of scores: small, finite, by condition, with what they leave out.

They read rows of `cells` and leave them as they are.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from itemeval_assets.core.tables.cells import CELL_STATES

__all__ = [
    "NOTHING_GRADED",
    "Graded",
    "ItemScores",
    "Scale",
    "graded_by",
    "item_scores",
    "left_out_words",
    "mean_words",
    "scale_of",
]

Row = Mapping[str, Any]
Label = Callable[[Row], str]
Group = TypeVar("Group", bound=Hashable)

BINS = 11
# A judge may write any number that a double holds; the ends of the scale take what is beyond.
FARTHEST = 1e9


class Scale(NamedTuple):
    """The range that scores are shown on. `low` is below `high`."""

    low: float
    high: float

    def share(self, score: float) -> float:
        """Where a score stands on the scale, from 0 to 1."""
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))


class Graded(NamedTuple):
    """Cells of the design, and what came of them.

    `scores` of those that are done, in order of the rows; `left_out`: {state: cells} of all
    others, which have no part in the mean; `failures`: {parse_error: cells} of the unparsed.
    """

    scores: list[float]
    failures: dict[str, int]
    left_out: dict[str, int]

    @property
    def cells(self) -> int:
        return len(self.scores) + sum(self.left_out.values())

    @property
    def returned(self) -> int:
        """Cells of which something came back, with a score or without."""
        return len(self.scores) + self.failed

    @property
    def failed(self) -> int:
        """Cells of which something came back, without a score."""
        return sum(self.failures.values())

    @property
    def mean(self) -> float | None:
        return _mean(self.scores) if self.scores else None

    @property
    def scale(self) -> Scale:
        return scale_of(self.scores)

    @property
    def histogram(self) -> list[int]:
        """Scores in eleven bins, whose centres are the tenths of the scale, both ends included."""
        scale = self.scale
        found = Counter(round(scale.share(score) * (BINS - 1)) for score in self.scores)
        return [found[place] for place in range(BINS)]


NOTHING_GRADED = Graded([], {}, {})


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


def mean_words(graded: Graded) -> str:
    """`mean 0.71 of 24; left out: 2 unparsed, 1 errored`."""
    mean = (
        "no score" if graded.mean is None else f"mean {graded.mean:.3g} of {len(graded.scores):,}"
    )
    out = left_out_words(graded.left_out)
    return mean if out == "none" else f"{mean}; left out: {out}"


def scale_of(scores: Iterable[float]) -> Scale:
    """0 to 1; where scores reach beyond, to the next of 1, 2, 5, 10, 20, ..., up or down."""
    found = [0.0, *scores]
    return Scale(0.0 - _round_up(-min(found)), max(1.0, _round_up(max(found))))


def graded_by(rows: Iterable[Row], group: Callable[[Row], Group]) -> dict[Group, Graded]:
    """Cells by something that is read off a row, in order of first sight."""
    found: dict[Group, Graded] = {}
    for row in rows:
        place, score = group(row), _score(row)
        if place not in found:
            found[place] = Graded([], {}, {})
        graded = found[place]
        if score is not None:
            graded.scores.append(score)
            continue
        graded.left_out[row["state"]] = graded.left_out.get(row["state"], 0) + 1
        if row["state"] == "unparsed":
            graded.failures[row["reason"]] = graded.failures.get(row["reason"], 0) + 1
    return found


def item_scores(rows: Iterable[Row], graded: Label, condition: Label) -> ItemScores:
    """Mean scores by judge or scorer, by generate condition and by item."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    shares: dict[str, list[float]] = {}
    left_out = Counter[str]()
    for row in rows:
        cells = found.setdefault(graded(row), {}).setdefault(condition(row), {})
        shares.setdefault(row["item_id"], [])
        score = _score(row)
        if score is not None:
            cells.setdefault(row["item_id"], []).append(score)
        else:
            left_out[row["state"]] += 1
    means = {
        judge: {
            name: {item: _mean(scores) for item, scores in cells.items()}
            for name, cells in columns.items()
        }
        for judge, columns in found.items()
    }
    scales = {
        judge: scale_of(
            s for cells in columns.values() for scores in cells.values() for s in scores
        )
        for judge, columns in found.items()
    }
    for judge, columns in means.items():
        for cells in columns.values():
            for item, mean in cells.items():
                shares[item].append(scales[judge].share(mean))
    ranked = sorted(shares, key=lambda item: _mean(shares[item]) if shares[item] else -1.0)
    return ItemScores(ranked, means, scales, dict(left_out))


def _score(row: Row) -> float | None:
    score = row["score"]
    return score if score is not None and math.isfinite(score) else None


def _mean(values: list[float]) -> float:
    """Of values whose sum may be more than a double holds, too."""
    return math.fsum(value / len(values) for value in values)


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    if value >= FARTHEST:
        return FARTHEST
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if value <= step * power), 10 * power)
