"""Summaries of scores, as pictures show them: small, finite, by condition.

They read rows of `gradings_long` and leave them as they are.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "Graded",
    "ItemScores",
    "Scale",
    "graded_by",
    "item_scores",
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
    """Grading events, and what came back of them.

    `scores` in order of the rows; `failures`: {parse_error: events}. The call of an `errored`
    event failed, and nothing came back that could be parsed.
    """

    scores: list[float]
    failures: dict[str, int]
    errored: int

    @property
    def events(self) -> int:
        return self.returned + self.errored

    @property
    def returned(self) -> int:
        """Events of which something came back, with a score or without."""
        return len(self.scores) + self.failed

    @property
    def failed(self) -> int:
        """Events of which something came back, without a score."""
        return sum(self.failures.values())

    @property
    def mean(self) -> float | None:
        return _mean(self.scores) if self.scores else None

    @property
    def scale(self) -> Scale:
        return scale_of(self.scores)

    @property
    def histogram(self) -> list[int]:
        """Events in eleven bins, whose centres are the tenths of the scale, both ends included."""
        scale = self.scale
        found = Counter(round(scale.share(score) * (BINS - 1)) for score in self.scores)
        return [found[place] for place in range(BINS)]


class ItemScores(NamedTuple):
    """Mean scores over replications, which are missing where no event has a score.

    `items`: the item_ids, hardest first: by the mean share of the scale over all conditions;
    those that nobody could score come before.
    `means`: {graded by: {condition: {item_id: mean}}}; a scale for each judge or scorer.
    """

    items: list[str]
    means: dict[str, dict[str, dict[str, float]]]
    scales: dict[str, Scale]


def scale_of(scores: Iterable[float]) -> Scale:
    """0 to 1; where scores reach beyond, to the next of 1, 2, 5, 10, 20, ..., up or down."""
    found = [0.0, *scores]
    return Scale(0.0 - _round_up(-min(found)), max(1.0, _round_up(max(found))))


def graded_by(rows: Iterable[Row], group: Callable[[Row], Group]) -> dict[Group, Graded]:
    """Grading events by something that is read off a row, in order of first sight.

    Rows of `gradings` do as well.
    """
    scores: dict[Group, list[float]] = {}
    failures: dict[Group, Counter[str]] = {}
    errored: Counter[Group] = Counter()
    for row in rows:
        place, score = group(row), _score(row)
        scores.setdefault(place, [])
        if score is not None:
            scores[place].append(score)
        elif row["parse_error"] is not None:
            failures.setdefault(place, Counter())[row["parse_error"]] += 1
        else:
            errored[place] += 1
    return {
        place: Graded(found, dict(failures.get(place, {})), errored[place])
        for place, found in scores.items()
    }


def item_scores(rows: Iterable[Row], graded: Label, condition: Label) -> ItemScores:
    """Mean scores by judge or scorer, by generate condition and by item."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    shares: dict[str, list[float]] = {}
    for row in rows:
        cells = found.setdefault(graded(row), {}).setdefault(condition(row), {})
        shares.setdefault(row["item_id"], [])
        score = _score(row)
        if score is not None:
            cells.setdefault(row["item_id"], []).append(score)
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
    return ItemScores(ranked, means, scales)


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
