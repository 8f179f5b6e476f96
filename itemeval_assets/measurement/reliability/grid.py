"""The cells of a design that have a score."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from ..columns import (
    GRADE_CONDITION,
    Frame,
    codes,
    compact,
    full_codes,
    names,
    refuse_repeated_rows,
    spans,
)
from ..numeric import scores_of
from ..records import MeasurementError
from .design import RESIDUAL, Design

__all__ = ["Grid", "levels_of", "read_grid"]

MOST_FACETS = 8


@dataclass(frozen=True)
class Grid:
    """The scored cells of a design: the level of each row on each facet, and its score."""

    design: Design
    levels: np.ndarray
    score: np.ndarray
    n_missing: int

    @property
    def n_holes(self) -> int:
        """How many cells of the full grid have no score."""
        return prod(self.design.shape) - len(self.score)

    @cached_property
    def places(self) -> np.ndarray:
        """The place of each row in the full grid."""
        return np.asarray(np.ravel_multi_index(tuple(self.levels.T), self.design.shape))

    def tensor(self) -> np.ndarray:
        """The scores as an array with an axis per facet, 0 where a cell is empty."""
        full = np.zeros(prod(self.design.shape))
        full[self.places] = self.score
        return full.reshape(self.design.shape)


def levels_of(grid: Grid) -> list[int]:
    """How many levels of each source have a score."""
    axes = [
        [place for place, facet in enumerate(grid.design.facets) if facet in source]
        for source in grid.design.sources
    ]
    return [len(compact(*grid.levels[:, chosen].T)[0]) for chosen in axes]


def read_grid(
    frame: Frame,
    facets: Sequence[str],
    *,
    score: str,
    nested: Mapping[str, str | Sequence[str]] | None,
    fixed: Sequence[str],
) -> Grid:
    """The cells of a design from a frame. Rows without a score are holes."""
    facets = tuple(facets)
    nests = _nests(facets, nested or {}, fixed)
    values = scores_of(frame, score)
    refuse_repeated_rows(frame)
    columns = {facet: full_codes(frame, facet).codes for facet in facets}
    scored = ~np.isnan(values)
    if not scored.any():
        raise MeasurementError(f"All rows have an empty {score!r}: there is nothing to measure.")
    columns = {facet: column[scored] for facet, column in columns.items()}
    _refuse_pooled_graders(frame, scored, list(columns.values()))
    _refuse_hidden_nests(columns, nests)
    levels = {
        facet: _within([columns[other] for other in facets if other in nests[facet]], column)
        for facet, column in columns.items()
    }
    repeat = _repeats(list(levels.values()))
    if repeat.any():
        levels[RESIDUAL] = repeat
        nests = {**nests, RESIDUAL: frozenset(facets)}
    n = {facet: int(column.max()) + 1 for facet, column in levels.items()}
    single = [facet for facet in facets if n[facet] == 1]
    if single:
        raise MeasurementError(
            f"{single[0]!r} has one level, so it has no variance to measure: add levels, or"
            " leave it out."
        )
    design = Design(tuple(levels), nests, n, frozenset(fixed))
    rows = np.stack(list(levels.values()), axis=1)
    return Grid(design, rows, values[scored], int((~scored).sum()))


def _nests(
    facets: tuple[str, ...], nested: Mapping[str, str | Sequence[str]], fixed: Sequence[str]
) -> dict[str, frozenset[str]]:
    """What each facet is nested in, also through others."""
    if not facets:
        raise MeasurementError("Name the facets: the object of measurement first, then others.")
    if len(set(facets)) < len(facets) or len(facets) > MOST_FACETS:
        raise MeasurementError(f"Name up to {MOST_FACETS} facets, each once.")
    of_texts = [one for one in nested.values() if not isinstance(one, str)]
    if not all(isinstance(one, Collection) and not isinstance(one, bytes) for one in of_texts):
        raise MeasurementError(
            f"nested is {dict(nested)!r}: give the facets of each, {{'rater': 'task'}}"
        )
    given = {
        facet: {holders} if isinstance(holders, str) else set(holders)
        for facet, holders in nested.items()
    }
    named = set(given).union(*given.values(), [fixed] if isinstance(fixed, str) else fixed)
    if named - set(facets):
        raise MeasurementError(
            f"{sorted(named - set(facets))[0]!r} is no facet. The facets are: {', '.join(facets)}."
        )
    found = {facet: frozenset(given.get(facet, ())) for facet in facets}
    for _ in facets:
        found = {
            facet: holders.union(*(found[holder] for holder in holders))
            for facet, holders in found.items()
        }
    for facet, holders in found.items():
        if facet in holders:
            raise MeasurementError(f"{facet!r} is nested in itself: mend nested=.")
    return found


def _within(holders: list[np.ndarray], column: np.ndarray) -> np.ndarray:
    """The number of each level within its nest, from 0."""
    if not holders:
        return np.unique(column, return_inverse=True)[1]
    keys, places = compact(*holders, column)
    nest = keys // spans(column)[0]
    first = np.r_[0, np.flatnonzero(np.diff(nest)) + 1]
    lengths = np.diff(np.r_[first, len(keys)])
    return (np.arange(len(keys)) - np.repeat(first, lengths))[places]


def _repeats(levels: list[np.ndarray]) -> np.ndarray:
    """The number of each row within its cell, from 0."""
    _, places = compact(*levels)
    order = np.argsort(places, kind="stable")
    first = np.searchsorted(places[order], places[order])
    found = np.empty(len(places), dtype=np.int64)
    found[order] = np.arange(len(places)) - first
    return found


def _refuse_pooled_graders(frame: Frame, rows: np.ndarray, columns: list[np.ndarray]) -> None:
    if GRADE_CONDITION not in names(frame):
        return
    graders = codes(frame, GRADE_CONDITION).codes[rows] + 1
    cells, with_graders = compact(*columns)[0], compact(*columns, graders)[0]
    if len(with_graders) > len(cells):
        raise MeasurementError(
            "Rows of one cell come from several graders, which are never pooled: make the grader a"
            f" facet ({GRADE_CONDITION!r}), or keep the rows of one."
        )


def _refuse_hidden_nests(
    columns: dict[str, np.ndarray], nests: Mapping[str, frozenset[str]]
) -> None:
    """Levels that occur with one level of another facet only are nested in it, said or not."""
    for facet, column in columns.items():
        for other, holder in columns.items():
            if facet == other or other in nests[facet] or facet in nests[other]:
                continue
            n_levels, n_holders = len(np.unique(column)), len(np.unique(holder))
            if n_holders > 1 and len(compact(column, holder)[0]) == n_levels:
                same = "is the same as" if n_levels == n_holders else "is nested in"
                advice = (
                    "leave one of them out"
                    if n_levels == n_holders
                    else f"nest {facet!r} in {other!r}"
                )
                raise MeasurementError(
                    f"{facet!r} {same} {other!r}: each of its levels occurs with one level of it"
                    f" only, so their variances cannot be told apart. Then {advice}."
                )
