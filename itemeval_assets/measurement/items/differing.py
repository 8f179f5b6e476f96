"""How often the scores of one cell differ: over its replications, and over its graders."""

from dataclasses import replace

import numpy as np

from ..columns import CONDITION, GRADE_CONDITION, Frame, codes, compact, names
from ..events import Events, Grader, read_events
from ..rounding import CONSTANT
from .chance import OFTEN, Differing, chance_of, differing_by_chance

__all__ = ["flips_of", "quarrels_of", "share_of"]


def flips_of(
    frame: Frame, grader: Grader, object: str, score: str, item: str, least: float, n_items: int
) -> Differing:
    """The share of cells with replications that differ, among those that have several."""
    known = names(frame)
    by = [object, *(name for name in (*CONDITION, GRADE_CONDITION) if name in known)]
    events = read_events(
        frame, score=score, item=item, cluster=None, grader=grader, by=list(dict.fromkeys(by))
    ).scored
    return _differing(events, least, n_items)


def quarrels_of(
    frame: Frame, score: str, item: str, solution: str, least: float, n_items: int
) -> Differing:
    """The share of answers on which graders differ, among those with several graders."""
    known = names(frame)
    if GRADE_CONDITION not in known:
        nothing = np.full(n_items, np.nan)
        return Differing(nothing, nothing)
    by = [name for name in (*CONDITION, "replication") if name in known]
    events = read_events(frame, score=score, item=item, cluster=None, by=by, pooled=True)
    if solution in known:
        events = _each_text_once(frame, events, solution)
    return _differing(events.scored, least, n_items)


def _each_text_once(frame: Frame, events: Events, solution: str) -> Events:
    """The events of equal answers to an item as those of one answer: the first of each grader."""
    text, grader = codes(frame, solution).codes + 1, codes(frame, GRADE_CONDITION).codes
    known = np.flatnonzero(~np.isnan(events.score))
    _, answer = compact(events.item[known], text[known])
    _, first = np.unique(np.stack([answer, grader[known]]), axis=1, return_index=True)
    rows = known[first]
    kept = events.only(rows)
    return replace(kept, group=answer[first], groups=list(range(int(answer.max(initial=-1)) + 1)))


def _differing(events: Events, least: float, n_items: int) -> Differing:
    """By item: its groups with several scores, and those of them that are `least` or more apart."""
    keys, places = compact(events.group, events.item)
    lowest, highest = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.minimum.at(lowest, places, events.score)
    np.maximum.at(highest, places, events.score)
    size = np.bincount(places)
    several = size > 1
    apart = highest - lowest
    differ = several & (apart >= max(least, CONSTANT)) & (apart > CONSTANT)
    owner = keys % (int(events.item.max()) + 1)
    found = np.bincount(owner, differ, n_items)
    n = np.bincount(owner, several, n_items)
    chance = np.full(n_items, np.nan)
    # Only where many differ is it asked how many would by chance.
    often = np.flatnonzero((found >= OFTEN * n) & (n > 0))
    rows_of = np.argsort(events.item, kind="stable")
    starts = np.searchsorted(events.item[rows_of], [often, often + 1])
    cells_of = np.argsort(owner, kind="stable")
    cells = np.searchsorted(owner[cells_of], [often, often + 1])
    for place, item in enumerate(often):
        scores = events.score[rows_of[starts[0, place] : starts[1, place]]]
        sizes = size[cells_of[cells[0, place] : cells[1, place]]]
        chance[item] = differing_by_chance(scores, sizes[sizes > 1], max(least, CONSTANT))
    return Differing(share_of(found, n), chance_of(found, n, chance))


def share_of(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part by whole, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
