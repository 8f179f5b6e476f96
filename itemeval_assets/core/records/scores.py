"""Scores summed up, from whole columns of `cells`."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .summaries import BINS, Graded, ItemScores, Scale, scale_of


class PairCells(NamedTuple):
    """The cells of one generate x grade pair, under the labels of its two conditions."""

    condition: str
    graded_by: str
    cells: pa.Table


def graded(cells: pa.Table) -> Graded:
    """What came of these cells. Reads `score`, `state` and `reason`."""
    scores = _scores(cells)
    has_score = np.isfinite(scores)
    found, rest = scores[has_score], cells.filter(pa.array(~has_score))
    scale = _scale(found)
    bins = np.rint(_shares(scale, found) * (BINS - 1)).astype(np.intp)
    unparsed = rest.filter(pc.equal(rest["state"], "unparsed"))  # type: ignore[attr-defined]
    return Graded(
        len(found),
        scale,
        np.bincount(bins, minlength=BINS).tolist(),
        _counts(unparsed["reason"]),
        _counts(rest["state"]),
    )


def item_scores(pairs: Sequence[PairCells]) -> ItemScores:
    """Mean scores by judge or scorer, by generate condition and by item.

    Reads `item_id`, `score` and `state`. No two pairs have the same labels.
    """
    pairs = [pair for pair in pairs if pair.cells.num_rows]
    if not pairs:
        return ItemScores([], {}, {}, {})
    cells = pa.concat_tables([pair.cells for pair in pairs])
    coded = cells["item_id"].combine_chunks().dictionary_encode()
    names, items = coded.dictionary.to_pylist(), coded.indices.to_numpy()
    place = np.repeat(np.arange(len(pairs)), [pair.cells.num_rows for pair in pairs])
    scores = _scores(cells)
    has_score = np.isfinite(scores)
    groups = (place * len(names) + items)[has_score]
    means = _means(scores[has_score], groups, len(pairs) * len(names)).reshape(len(pairs), -1)
    scales = _scales(pairs, scores[has_score], place[has_score])
    return ItemScores(
        _hardest_first(names, pairs, means, scales),
        _by_label(names, pairs, means),
        scales,
        _counts(cells.filter(pa.array(~has_score))["state"]),
    )


def _scales(pairs: Sequence[PairCells], scores: np.ndarray, place: np.ndarray) -> dict[str, Scale]:
    """The scale of each judge or scorer. `place`: of which pair a score is."""
    graders = dict.fromkeys(pair.graded_by for pair in pairs)
    of_pair = np.array([list(graders).index(pair.graded_by) for pair in pairs])[place]
    return {grader: _scale(scores[of_pair == code]) for code, grader in enumerate(graders)}


def _hardest_first(
    names: list[str], pairs: Sequence[PairCells], means: np.ndarray, scales: dict[str, Scale]
) -> list[str]:
    shares = [_shares(scales[pair.graded_by], row) for pair, row in zip(pairs, means, strict=True)]
    flat, items = np.concatenate(shares), np.tile(np.arange(len(names)), len(pairs))
    known = ~np.isnan(flat)
    easiness = _means(flat[known], items[known], len(names))
    order = np.argsort(np.nan_to_num(easiness, nan=-1.0), kind="stable")
    return [names[place] for place in order]


def _by_label(
    names: list[str], pairs: Sequence[PairCells], means: np.ndarray
) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    for pair, row in zip(pairs, means.tolist(), strict=True):
        known = {name: mean for name, mean in zip(names, row, strict=True) if not math.isnan(mean)}
        found.setdefault(pair.graded_by, {})[pair.condition] = known
    return found


def _means(values: np.ndarray, groups: np.ndarray, size: int) -> np.ndarray:
    """The mean of each group, NaN of none. Their sum may be more than a double holds."""
    counts = np.bincount(groups, minlength=size)
    parts = (values / counts[groups])[np.argsort(groups, kind="stable")].tolist()
    ends = np.cumsum(counts).tolist()
    return np.array(
        [
            math.fsum(parts[end - count : end]) if count else math.nan
            for end, count in zip(ends, counts.tolist(), strict=True)
        ]
    )


def _scores(cells: pa.Table) -> np.ndarray:
    """float64[cells]; NaN where there is no score."""
    return cells["score"].cast(pa.float64()).to_numpy()


def _scale(scores: np.ndarray) -> Scale:
    return scale_of([scores.min(), scores.max()] if len(scores) else [])


def _shares(scale: Scale, scores: np.ndarray) -> np.ndarray:
    return np.clip((scores - scale.low) / (scale.high - scale.low), 0.0, 1.0)


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value is there, in order of first sight."""
    found = values.value_counts()
    return dict(
        zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    )
