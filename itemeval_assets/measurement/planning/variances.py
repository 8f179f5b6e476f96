"""What a difference of two objects varies by: items, replications, and repeats of a judge."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arguments import checked
from ..columns import Frame, codes, compact, counted, full_codes
from ..comparisons.families import compare_all
from ..comparisons.pairs import compare
from ..events import Grader, rows_of_grader
from ..numeric import scores_of
from ..records import Difference, Interval, MeasurementError

# Fewer items tell nothing that a plan could rest on.
FEWEST_ITEMS = 10
FEW_ITEMS = 30
_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class PairedVariances:
    """The variance of a difference on one item, in the parts that a design divides.

    `omega2`: of the true difference, over items. `sigma2`: of the answers of one object to one
    item; null where each has one replication: then `omega2` holds it. `judge2`: of the repeats of a
    judge on one answer; null where it has one: then `sigma2` holds it, or `omega2`. `replications`
    and `repeats` are those that they are known from. `factor`: between which factors the smallest
    difference of a plan may lie, since variances from few items are hardly known; null: stated.
    """

    omega2: float
    sigma2: float | None = None
    judge2: float | None = None
    replications: int = 1
    repeats: int = 1
    items_per_cluster: float = 1.0
    n_items: int = 0
    n_pairs: int = 0
    factor: Interval | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = {"omega2": self.omega2, "sigma2": self.sigma2, "judge2": self.judge2}
        for name, value in given.items():
            if value is not None and value < 0:
                raise MeasurementError(f"{name} is {value:g}: a variance is 0 or more")

    def of_item(self, replications: int, repeats: int = 1) -> float:
        """The variance of a difference on one item, with so many of each."""
        judge = (self.judge2 or 0.0) / repeats
        return self.omega2 + 2 * ((self.sigma2 or 0.0) + judge) / replications


@checked
def paired_variances(
    frame: Frame,
    a: Hashable | None = None,
    b: Hashable | None = None,
    *,
    object: str = "model",
    score: str = "score",
    item: str = "item_id",
    replication: str = "replication",
    repeat: str | None = None,
    cluster: str | None = None,
    grader: Grader = None,
) -> PairedVariances:
    """The parts of the variance of a - b on an item; without a and b the mean over all pairs.

    The replications of an object on an item give `sigma2`, the repeats of a judge on one answer
    `judge2`, both pooled over objects (analysis of variance, nested; Searle, Casella & McCulloch
    1992). `omega2` is what is left of n SE^2 of the paired difference, clustered where `cluster`
    says so: with the numbers that the frame has, a plan has just this error. A frame has one row
    for each object, item, replication and repeat.
    """
    if (a is None) != (b is None):
        raise MeasurementError("a and b go together: name both, or none")
    known = {"object": object, "score": score, "item": item, "cluster": cluster, "grader": grader}
    if a is None or b is None:
        pairs = list(compare_all(frame, **known))  # type: ignore[arg-type]
    else:
        pairs = [compare(frame, a, b, **known)]  # type: ignore[arg-type]
    fewest = min(one.n_items for one in pairs)
    if fewest < FEWEST_ITEMS:
        raise MeasurementError(
            f"{counted(fewest, 'item')} with scores of both: too few to plan with. Run a pilot of"
            f" {FEWEST_ITEMS} or more ({FEW_ITEMS} are better), or state the variances."
        )
    objects = {one.a for one in pairs} | {one.b for one in pairs}
    noise = _noise(frame, objects, (object, item, replication, repeat), score, grader)
    return _of_pairs(pairs, noise)


class _Noise(NamedTuple):
    """Within objects and items. `of_mean`: {object: variance of an item mean, over its items}."""

    sigma2: float | None
    judge2: float | None
    replications: int
    repeats: int
    of_mean: dict[Hashable, float]
    is_negative: bool


def _of_pairs(pairs: list[Difference], noise: _Noise) -> PairedVariances:
    total = [one.n_items * one.standard_error**2 for one in pairs]
    within = [noise.of_mean[one.a] + noise.of_mean[one.b] for one in pairs]
    rest = float(np.mean(total) - np.mean(within))
    n_items = min(one.n_items for one in pairs)
    n_clusters = min(one.n_clusters for one in pairs)
    return PairedVariances(
        omega2=max(0.0, rest),
        sigma2=noise.sigma2,
        judge2=noise.judge2,
        replications=noise.replications,
        repeats=noise.repeats,
        items_per_cluster=n_items / n_clusters,
        n_items=n_items,
        n_pairs=len(pairs),
        factor=_factor(n_clusters - 1),
        warnings=tuple(_said(pairs, total, noise, is_negative=rest < 0)),
    )


def _noise(
    frame: Frame,
    objects: set[Hashable],
    facets: tuple[str, str, str, str | None],
    score: str,
    grader: Grader,
) -> _Noise:
    of, item, replication, repeat = facets
    scores, owner = scores_of(frame, score), full_codes(frame, of)
    rows = rows_of_grader(frame, grader, pooled=True) & ~np.isnan(scores)
    rows &= np.isin(owner.codes, [n for n, name in enumerate(owner.labels) if name in objects])
    columns = [owner.codes, *(full_codes(frame, name).codes for name in (item, replication))]
    columns = [column[rows] for column in columns]
    _refuse_repeated(columns, codes(frame, repeat).codes[rows] if repeat else None, facets)
    answers = _Level.of(columns, scores[rows])
    items = _Level.of([column[answers.first] for column in columns[:2]], answers.mean)
    # What a repeat adds to an answer, as the mean over the answers to an item.
    share = np.bincount(items.group, 1 / answers.n) / items.n
    judge2, sigma2 = answers.variance, items.variance
    if sigma2 is not None and judge2 is not None:
        sigma2 -= judge2 * float(share[items.n > 1].mean())
    noise = (max(0.0, sigma2 or 0.0) + (judge2 or 0.0) * share) / items.n
    owners = columns[0][answers.first][items.first]
    return _Noise(
        None if sigma2 is None else max(0.0, sigma2),
        judge2,
        int(items.n.max()),
        int(answers.n.max()),
        {owner.labels[n]: float(noise[owners == n].mean()) for n in np.unique(owners)},
        sigma2 is not None and sigma2 < 0,
    )


class _Level(NamedTuple):
    """Values in groups: the group of each; of each group a row, how many, and their mean.

    `variance` is pooled within groups; null: none has two values.
    """

    group: np.ndarray
    first: np.ndarray
    n: np.ndarray
    mean: np.ndarray
    variance: float | None

    @classmethod
    def of(cls, columns: Sequence[np.ndarray], values: np.ndarray) -> "_Level":
        """In groups by several columns of codes."""
        group = compact(*columns)[1]
        n = np.bincount(group)
        first = np.zeros(len(n), dtype=np.int64)
        first[group] = np.arange(len(group))
        mean = np.bincount(group, values) / n
        df = int((n - 1).sum())
        squares = float(((values - mean[group]) ** 2).sum())
        return cls(group, first, n, mean, squares / df if df else None)


def _refuse_repeated(
    columns: Sequence[np.ndarray],
    last: np.ndarray | None,
    facets: tuple[str, str, str, str | None],
) -> None:
    keys, places = compact(*columns, *([] if last is None else [last + 1]))
    if len(keys) < len(places):
        named = ", ".join(filter(None, facets))
        raise MeasurementError(
            f"{len(places) - len(keys):,} rows repeat another one in {named}: choose the rows of"
            " one prompt, config and grader, or take conditions as `object`."
        )


def _factor(df: int) -> Interval | None:
    """The limits of a standard deviation that is known from so many degrees of freedom."""
    from scipy import special

    if df < 1:
        return None
    tail = (1 - _LEVEL) / 2
    low, high = special.chdtri(df, tail), special.chdtri(df, 1 - tail)
    return Interval(float((df / low) ** 0.5), float((df / high) ** 0.5))


def _said(
    pairs: list[Difference], total: list[float], noise: _Noise, *, is_negative: bool
) -> Iterator[str]:
    fewest = min(pairs, key=lambda one: one.n_items)
    if fewest.n_items < FEW_ITEMS:
        yield (
            f"Known from {counted(fewest.n_items, 'item')} only: with fewer than {FEW_ITEMS} a plan"
            " is a guess."
        )
    if noise.sigma2 is None:
        yield (
            "One replication: what more of them would bring is not known, so designs have one. A"
            " pilot with two tells it."
        )
    if is_negative:
        yield "The variance over items (omega2) came out negative, and is set to 0."
    if noise.is_negative:
        yield "The variance of answers to one item (sigma2) came out negative, and is set to 0."
    if not any(total):
        yield "No difference varies over items: any design finds any difference, as it seems."
    widest = max(zip(total, pairs, strict=True), key=lambda found: found[0])
    if len(pairs) > 1 and widest[0] > np.mean(total):
        ratio = float((widest[0] / np.mean(total)) ** 0.5)
        yield (
            f"The mean over {len(pairs):,} pairs; of {widest[1].a} and {widest[1].b} the smallest"
            f" difference is {ratio:.2g} times as large."
        )
