"""All pairs of objects at once: p values adjusted by Holm, and groups that cannot be told apart."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from ..arguments import checked
from ..columns import GRADER_NAMES, Frame
from ..events import Grader
from ..intervals import checked_level, checked_scale
from ..numeric import as_numbers
from ..records import Difference, MeasurementError, Scale
from .answers import read_answers
from .paired import pairs_with, reasons_against
from .pairs import differences_of, p_of, worded

__all__ = ["Comparisons", "adjusted_by_holm", "compare_all", "holm"]

MOST_LETTERED = 100
# Of a thousand there are half a million pairs: a record of each takes 500 MB.
MOST_OBJECTS = 1_000


class Comparisons(list[Difference]):
    """The differences of all pairs, the better object first, pairs ordered by their objects.

    `groups` are the largest sets of objects of which no two differ, the best first, and `letters`
    has the letters of the groups of each object: two objects that share one cannot be told apart.
    `left_out` names the pairs that could not be compared, with the reason.
    """

    groups: tuple[tuple[Hashable, ...], ...] = ()
    letters: dict[Hashable, str]
    left_out: tuple[tuple[Hashable, Hashable, str], ...] = ()
    warnings: tuple[str, ...] = ()


@checked
def compare_all(
    frame: Frame,
    *,
    object: str = "model",
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    grader: Grader = None,
    scale: Scale | None = None,
    level: float = 0.95,
) -> Comparisons:
    """`compare` for each pair of values of a column, as one family.

    `p` is adjusted by Holm (1979, Scandinavian Journal of Statistics 6, 65-70), so that no false
    difference is called in the whole family with at least the given level. Intervals are those of
    single pairs. Groups are the compact letter display of Piepho (2004, Journal of Computational
    and Graphical Statistics 13, 456-466).
    """
    checked_level(level)
    scale = checked_scale(scale)
    answers = read_answers(
        frame, object=object, score=score, item=item, cluster=cluster, grader=grader
    )
    n_objects = len(answers.objects)
    if n_objects < 2:
        raise MeasurementError(
            f"Column {object!r} has one value with scores, {answers.objects[0]!r}: a comparison"
            " needs two."
        )
    if n_objects > MOST_OBJECTS:
        raise MeasurementError(
            f"{n_objects:,} values of {object!r} have {n_objects * (n_objects - 1) // 2:,} pairs:"
            f" all pairs are for up to {MOST_OBJECTS:,}. Take fewer of them, or compare two."
        )
    order = _best_first(answers.mean)
    family, left_out = [], []
    for place, first in enumerate(order[:-1].tolist()):
        for pairs in pairs_with(answers, first, order[place + 1 :]):
            reasons = reasons_against(answers, first, pairs, scale)
            family.append((first, pairs.only(np.array([not reason for reason in reasons]))))
            left_out.extend(
                (answers.objects[first], answers.objects[other], reason)
                for other, reason in zip(pairs.others, reasons, strict=True)
                if reason
            )
    adjusted = holm(np.concatenate([p_of(answers, pairs) for _, pairs in family]))
    if not len(adjusted):
        raise MeasurementError(f"No pair can be compared. {left_out[0][2]}")
    found = Comparisons()
    for first, pairs in family:
        p = adjusted[len(found) : len(found) + len(pairs.others)]
        found.extend(differences_of(answers, first, pairs, level, scale, p, len(adjusted)))
    found.left_out = tuple(left_out)
    _group(found, [answers.objects[place] for place in order], level)
    return found


@checked
def adjusted_by_holm(
    differences: Sequence[Difference],
    scale: Scale | None = None,
    *,
    object: str = "model",
    of: str = "pairs",
) -> list[Difference]:
    """Differences as one family: `p` and the verdict as if all had been asked at once.

    `object` is the column that they are of: of graders the words say who gives higher scores. `p`
    is adjusted by Holm (1979); `p_unadjusted` stays. Intervals are those of single pairs, but hold
    0 where all items differ by the same and `p` tells no difference.
    """
    if not all(isinstance(one, Difference) for one in differences):
        raise MeasurementError("differences are those that compare returns: give a list of them")
    scale = checked_scale(scale)
    adjusted = holm(np.array([one.p_unadjusted for one in differences]))
    return [
        worded(replace(one, p=p), scale, len(differences), of, of_graders=object in GRADER_NAMES)
        for one, p in zip(differences, adjusted.tolist(), strict=True)
    ]


def _best_first(mean: np.ndarray) -> np.ndarray:
    """Objects by the mean of what they have, the best first; equal ones by their labels."""
    return np.argsort(-np.round(np.nanmean(mean, axis=1), 12), kind="stable")


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """P values adjusted so that the chance of any false call stays at the level (Holm 1979)."""
    p = as_numbers(p)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise MeasurementError("p is no list of p values: give numbers from 0 to 1")
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(raised)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def _group(found: Comparisons, objects: Sequence[Hashable], level: float) -> None:
    """Set the groups and letters. A pair that could not be compared is not told apart."""
    found.letters = {}
    if len(objects) > MOST_LETTERED:
        found.warnings = (
            f"{len(objects):,} objects are too many to group: groups are formed of up to"
            f" {MOST_LETTERED}.",
        )
        return
    place = {value: index for index, value in enumerate(objects)}
    differ = [(place[one.a], place[one.b]) for one in found if one.p < 1 - level]
    groups = _groups_without(differ, len(objects))
    found.groups = tuple(tuple(objects[index] for index in group) for group in groups)
    found.letters = {
        value: "".join(_letter(n) for n, group in enumerate(groups) if index in group)
        for index, value in enumerate(objects)
    }


def _groups_without(differ: list[tuple[int, int]], n_objects: int) -> list[list[int]]:
    """The largest sets of objects that hold no pair that differs (Piepho: insert and absorb)."""
    sets = {(1 << n_objects) - 1}
    for one, other in differ:
        both = 1 << one | 1 << other
        torn = {group for group in sets if group & both == both}
        parts = {group & ~(1 << which) for group in torn for which in (one, other)}
        sets -= torn
        rest = sorted(parts | sets, key=int.bit_count, reverse=True)
        kept: list[int] = []
        for group in rest:
            if not any(group & larger == group for larger in kept):
                kept.append(group)
        sets = set(kept)
    members = [[index for index in range(n_objects) if group >> index & 1] for group in sets]
    return sorted(members)


def _letter(n: int) -> str:
    """a to z, then a1, b1 and so on."""
    return chr(ord("a") + n % 26) + (str(n // 26) if n >= 26 else "")
