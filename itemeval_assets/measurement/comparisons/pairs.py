"""Is a better than b: the paired difference, its certainty, and what it says in words."""

from collections.abc import Hashable, Iterator
from dataclasses import replace

import numpy as np

from ..arguments import checked
from ..columns import Frame, counted, shortened
from ..events import Grader
from ..intervals import (
    CONSTANT,
    binomial_p,
    checked_level,
    checked_scale,
    of_few_clusters,
    t_quantile,
    t_test_p,
    wilson_interval,
)
from ..records import Difference, MeasurementError, Scale
from .answers import Answers, read_answers
from .paired import Pairs, pairs_with, reasons_against
from .words import verdict

__all__ = ["compare", "differences_of", "worded"]

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
) -> Iterator[Difference]:
    """One record for each pair that has two items or more."""
    enough = np.maximum(pairs.n_clusters - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = t_test_p(pairs.mean / pairs.error, enough)
    half = pairs.error * t_quantile(level, enough)
    exact = binomial_p(np.minimum(pairs.n_better, pairs.n_worse), pairs.n_better + pairs.n_worse)
    for place, other in enumerate(pairs.others.tolist()):
        value, n_clusters = float(pairs.mean[place]), int(pairs.n_clusters[place])
        binary = bool(answers.binary[first] and answers.binary[other])
        low, high, p_value = value - half[place], value + half[place], float(p[place])
        method = "paired t"
        if pairs.constant[place]:
            low, high, p_value = _of_constant(value, n_clusters, level, binary)
            method = _NO_SPREAD
        n_outside = _items_outside(answers, [first, other], scale)
        if scale and not n_outside:
            widest = scale[1] - scale[0]
            low, high = max(low, min(value, -widest)), min(high, max(value, widest))
        found = Difference(
            value=value,
            standard_error=float(pairs.error[place]),
            low=float(low),
            high=float(high),
            level=level,
            n_events=int(pairs.n_events[place]),
            n_items=int(pairs.n_items[place]),
            n_clusters=n_clusters,
            method=f"{method}, clustered by item"
            if n_clusters == pairs.n_items[place]
            else f"{method}, {n_clusters} clusters",
            n_missing=int(answers.n_empty[first] + answers.n_empty[other]),
            bounds=answers.bounds(first, other, scale),
            warnings=(
                *_said(answers, first, other, pairs, place),
                *_said_of_scale(n_outside, scale),
            ),
            a=answers.objects[first],
            b=answers.objects[other],
            p=p_value,
            p_unadjusted=p_value,
            p_mcnemar=float(exact[place]) if binary else None,
            n_ties=int(pairs.n_ties[place]),
            verdict="",
        )
        yield worded(found, scale, of_graders=answers.of_graders)


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
    if not different and found.method.startswith(_NO_SPREAD):
        found = replace(found, low=min(found.low, 0.0), high=max(found.high, 0.0))
    sentence = verdict(
        found.a,
        found.b,
        value=found.value,
        low=found.low,
        high=found.high,
        n_items=found.n_items,
        different=different,
        scale=scale,
        family="" if n_pairs == 1 else f"; {n_pairs:,} {of}, Holm",
        of_graders=of_graders,
    )
    return replace(found, verdict=sentence)


def _of_constant(
    value: float, n_clusters: int, level: float, binary: bool
) -> tuple[float, float, float]:
    """The interval and p where all items differ by the same: an exact sign test over clusters.

    Of 0 or 1, the share of items that could differ otherwise has Wilson's limit.
    """
    ties = abs(value) < CONSTANT
    p = 1.0 if ties else float(binomial_p(0, n_clusters))
    if binary:
        rest = wilson_interval(0, n_clusters, level).high
        low, high = (-rest, rest) if ties else sorted((value, value * (1 - 2 * rest)))
    else:
        low = high = value
    return low, high, p


def _items_outside(answers: Answers, places: list[int], scale: Scale | None) -> int:
    """How many item means of these objects lie outside of the scale."""
    if scale is None:
        return 0
    means = answers.mean[places]
    return int(((means < scale[0]) | (means > scale[1])).sum())


def _said_of_scale(n_outside: int, scale: Scale | None) -> Iterator[str]:
    if scale and n_outside:
        yield (
            f"{n_outside:,} item means lie outside of the scale {scale[0]:g} to {scale[1]:g}, and"
            " are kept."
        )


def _said(answers: Answers, first: int, other: int, pairs: Pairs, place: int) -> Iterator[str]:
    """What to say beside the difference."""
    both = answers.objects[first], answers.objects[other]
    for name, count in zip(both, (pairs.only_first, pairs.only_other), strict=True):
        if count[place]:
            items = counted(int(count[place]), "item")
            yield f"{items} with a score of {name} only: left out."
    if pairs.constant[place] and pairs.mean[place] != 0:
        yield "All items differ by the same: without spread the interval is rough."
    yield from of_few_clusters(int(pairs.n_clusters[place]), int(pairs.n_items[place]))
    for facet, sets in answers.varied.items():
        mine, theirs = sets[first], sets[other]
        if mine != theirs:
            yield (
                f"{facet} differs: {shortened(sorted(map(str, mine)))} of {both[0]},"
                f" {shortened(sorted(map(str, theirs)))} of {both[1]}. The difference holds both."
            )
