"""Is a better than b: the paired difference, its certainty, and what it says in words."""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..arguments import checked
from ..columns import Frame
from ..events import Grader
from ..intervals import (
    binomial_p,
    checked_level,
    checked_scale,
    t_quantile,
    t_test_p,
    wilson_interval,
)
from ..records import Difference, MeasurementError, Scale
from ..rounding import CONSTANT
from .answers import Answers, read_answers
from .paired import Pairs, pairs_with, reasons_against
from .said import said_of, said_of_scale
from .words import verdict

__all__ = ["compare", "differences_of", "p_of", "worded"]

_NO_SPREAD = "paired, no spread"


@checked
def compare(
    frame: Frame,
    a: Hashable,
    b: Hashable,
    *,
    object: str = "model",
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    grader: Grader = None,
    scale: Scale | None = None,
    level: float = 0.95,
) -> Difference:
    """The mean of a - b over the items that both have scores of, each with the same weight.

    Its error is clustered as in `mean_score` and its interval is Student's t with C-1 degrees of
    freedom (Miller 2024, arXiv:2411.00640, section 4). Beside it stands McNemar's exact p where
    scores are 0 or 1 with one replication. `object` is the column that holds a and b; what else
    varies under them is averaged within an item. Items that one of them lacks are left out, and
    said. `scale` serves the words, and the `bounds`: the difference if all missing cells of the one
    had the worst, and those of the other the best score.
    """
    if a == b:
        raise MeasurementError(f"a and b are both {a!r}: choose two different values.")
    answers = read_answers(
        frame, object=object, score=score, item=item, cluster=cluster, grader=grader, only=(a, b)
    )
    for value in (a, b):
        if value not in answers.objects:
            raise MeasurementError(
                f"All scores of {value!r} are empty: there is nothing to compare."
            )
    first, other = answers.objects.index(a), answers.objects.index(b)
    (pairs,) = pairs_with(answers, first, np.array([other]))
    scale = checked_scale(scale)
    (reason,) = reasons_against(answers, first, pairs, scale)
    if reason:
        raise MeasurementError(reason)
    (found,) = differences_of(answers, first, pairs, checked_level(level), scale)
    return found


def differences_of(
    answers: Answers,
    first: int,
    pairs: Pairs,
    level: float,
    scale: Scale | None,
    adjusted: np.ndarray | None = None,
    n_pairs: int = 1,
) -> Iterator[Difference]:
    """One record for each pair that has two items or more.

    `adjusted`: the p of each pair within a family of `n_pairs`.
    """
    alone = p_of(answers, pairs)
    p = alone if adjusted is None else adjusted
    half = pairs.error * t_quantile(level, np.maximum(pairs.n_clusters - 1, 1))
    exact = binomial_p(np.minimum(pairs.n_better, pairs.n_worse), pairs.n_better + pairs.n_worse)
    bounds = answers.bounds_of(first, pairs.others, scale)
    n_outside = answers.n_outside(first, pairs.others, scale)
    for place, other in enumerate(pairs.others.tolist()):
        value, n_clusters = float(pairs.mean[place]), int(pairs.n_clusters[place])
        n_items = int(pairs.n_items[place])
        binary = bool(answers.binary[first] and answers.binary[other])
        low, high = value - float(half[place]), value + float(half[place])
        if pairs.constant[place]:
            low, high = _of_constant(value, n_clusters, level, binary)
        if scale and not n_outside[place]:
            widest = scale[1] - scale[0]
            low, high = max(low, min(value, -widest)), min(high, max(value, widest))
        found = Difference(
            value=value,
            standard_error=float(pairs.error[place]),
            low=low,
            high=high,
            level=level,
            n_events=int(pairs.n_events[place]),
            n_items=n_items,
            n_clusters=n_clusters,
            method=_method(bool(pairs.constant[place]), n_clusters, n_items),
            n_missing=int(answers.n_empty[first] + answers.n_empty[other]),
            bounds=bounds[place],
            warnings=(
                *said_of(answers, first, other, pairs, place),
                *said_of_scale(int(n_outside[place]), scale),
            ),
            a=answers.objects[first],
            b=answers.objects[other],
            p=float(p[place]),
            p_unadjusted=float(alone[place]),
            p_mcnemar=float(exact[place]) if binary else None,
            n_ties=int(pairs.n_ties[place]),
            verdict="",
        )
        yield worded(found, scale, n_pairs, of_graders=answers.of_graders)


@lru_cache
def _method(constant: bool, n_clusters: int, n_items: int) -> str:
    """One text for all pairs that have it: of a thousand objects there are half a million."""
    name = _NO_SPREAD if constant else "paired t"
    by = "clustered by item" if n_clusters == n_items else f"{n_clusters} clusters"
    return f"{name}, {by}"


def p_of(answers: Answers, pairs: Pairs) -> np.ndarray:
    """The p of each pair alone: of the t test, and without spread of a sign test over clusters."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = t_test_p(pairs.mean / pairs.error, np.maximum(pairs.n_clusters - 1, 1))
    ties = np.abs(pairs.mean) <= answers.rounding
    signs = np.where(ties, 1.0, binomial_p(0, pairs.n_clusters))
    return np.where(pairs.constant, signs, p)


def worded(
    found: Difference,
    scale: Scale | None,
    n_pairs: int = 1,
    of: str = "pairs",
    *,
    of_graders: bool = False,
) -> Difference:
    """The difference with its sentence, by the p that it has.

    Without spread the interval tells no more than p does: it holds 0 where p tells no difference.
    """
    different = found.p < 1 - found.level
    low, high = found.low, found.high
    if not different and found.method.startswith(_NO_SPREAD):
        low, high = min(low, 0.0), max(high, 0.0)
    sentence = verdict(
        found.a,
        found.b,
        value=found.value,
        low=low,
        high=high,
        n_items=found.n_items,
        different=different,
        scale=scale,
        family="" if n_pairs == 1 else f"; {n_pairs:,} {of}, Holm",
        of_graders=of_graders,
    )
    return replace(found, low=low, high=high, verdict=sentence)


def _of_constant(value: float, n_clusters: int, level: float, binary: bool) -> tuple[float, float]:
    """The interval where all items differ by the same.

    Of 0 or 1, the share of items that could differ otherwise has Wilson's limit.
    """
    if not binary:
        return value, value
    rest = wilson_interval(0, n_clusters, level).high
    if abs(value) < CONSTANT:
        return -rest, rest
    low, high = sorted((value, value * (1 - 2 * rest)))
    return low, high
