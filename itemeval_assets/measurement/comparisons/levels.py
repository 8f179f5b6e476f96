"""Does the difference of a and b depend on a column: topic, dataset, any metadata of items."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from ..arguments import checked
from ..columns import Frame, full_codes, shortened
from ..events import Grader, codes_of_items
from ..intervals import checked_level, checked_scale, f_test_p
from ..records import Difference, MeasurementError, Scale
from .answers import Answers, read_answers
from .families import adjusted_by_holm
from .paired import pairs_with, reasons_against
from .pairs import differences_of

__all__ = ["Interaction", "interaction"]


@dataclass(frozen=True)
class Interaction:
    """The difference of a and b at each level of a column, and whether the levels differ in it.

    `left_out` names the levels that allow no comparison, with the reason.
    """

    by: str
    levels: dict[Hashable, Difference]
    f: float
    df: tuple[float, float]
    p: float
    level: float
    method: str
    verdict: str
    left_out: dict[Hashable, str]
    warnings: tuple[str, ...] = ()


@checked
def interaction(
    frame: Frame,
    a: Hashable,
    b: Hashable,
    *,
    by: str,
    object: str = "model",
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    grader: Grader = None,
    scale: Scale | None = None,
    level: float = 0.95,
) -> Interaction:
    """`compare` at each level of `by`, and Welch's test of equal differences over the levels.

    The test is that of Welch (1951, Biometrika 38, 330-336) on the level differences and their
    clustered errors, with C-1 degrees of freedom for a level of C clusters. It takes levels for
    independent, so a cluster must lie in one level. The p of each level is adjusted by Holm over
    the levels.
    """
    checked_level(level)
    answers = read_answers(
        frame, object=object, score=score, item=item, cluster=cluster, grader=grader, only=(a, b)
    )
    missing = [value for value in (a, b) if value not in answers.objects]
    if missing or a == b:
        raise MeasurementError(f"a and b must be two values of {object!r} that have scores.")
    level_of, labels = _level_of_items(frame, by, item, answers)
    _refuse_split_clusters(level_of, answers.cluster, by)
    first, other = answers.objects.index(a), answers.objects.index(b)
    found: dict[Hashable, Difference] = {}
    left_out: dict[Hashable, str] = {}
    for code in np.unique(level_of).tolist():
        part = answers.only_items(level_of == code)
        (pairs,) = pairs_with(part, first, np.array([other]))
        (reason,) = reasons_against(part, first, pairs)
        if reason:
            left_out[labels[code]] = reason
        else:
            (found[labels[code]],) = differences_of(part, first, pairs, level, checked_scale(scale))
    if len(found) < 2:
        same = Counter(left_out.values())
        reasons = " ".join(why if n == 1 else f"{why} ({n} levels)" for why, n in same.items())
        raise MeasurementError(f"An interaction needs two levels of {by!r} or more. {reasons}")
    adjusted = adjusted_by_holm([*found.values()], checked_scale(scale), object=object, of="levels")
    found = dict(zip(found, adjusted, strict=True))
    return _tested(by, found, left_out, level)


def _level_of_items(
    frame: Frame, by: str, item: str, answers: Answers
) -> tuple[np.ndarray, list[Hashable]]:
    """The level of each item, in the order of the answers. An item has one level."""
    items = full_codes(frame, item)
    levels = codes_of_items(frame, by, items)
    of_item = np.zeros(len(items), dtype=np.int64)
    of_item[items.codes] = levels.codes
    strays = np.flatnonzero(of_item[items.codes] != levels.codes)
    if len(strays):
        one = items.labels[items.codes[strays[0]]]
        raise MeasurementError(
            f"Item {one!r} has more than one value of {by!r}: the column must describe items."
        )
    return of_item[answers.item], levels.labels


def _refuse_split_clusters(level_of: np.ndarray, cluster: np.ndarray, by: str) -> None:
    pairs = np.unique(np.stack([cluster, level_of]), axis=1)
    if len(np.unique(pairs[0])) < pairs.shape[1]:
        raise MeasurementError(
            f"A cluster has items of more than one value of {by!r}: its levels are not"
            " independent. Choose a column that each cluster has one value of."
        )


def _tested(
    by: str, found: dict[Hashable, Difference], left_out: dict[Hashable, str], level: float
) -> Interaction:
    """Welch's test over the levels. Levels without spread have no error to weigh them by."""
    weighed = [one for one in found.values() if one.standard_error > 0]
    flat = [label for label, one in found.items() if one.standard_error == 0]
    said = (f"Without spread, and so no part of the test: {shortened(flat, 5)}.",) if flat else ()
    if len(weighed) < 2:
        values = [one.value for one in found.values()]
        same = max(values) - min(values) < 1e-12
        f, df, p = 0.0, (1.0, 1.0), 1.0
        said += () if same else ("Too few levels have spread: nothing is tested.",)
    else:
        f, df, p = _welch(weighed)
    n = sum(one.n_items for one in found.values())
    one = next(iter(found.values()))
    verdict = (
        f"How much {one.a} and {one.b} differ depends on {by} (p {p:.2g}, {n:,} items)."
        if p < 1 - level
        else f"{n:,} items cannot tell whether the difference of {one.a} and {one.b} depends on"
        f" {by} (p {p:.2g})."
    )
    return Interaction(by, found, f, df, p, level, "Welch", verdict, left_out, said)


def _welch(parts: list[Difference]) -> tuple[float, tuple[float, float], float]:
    """Welch's F of equal means, its degrees of freedom, and its p."""
    value = np.array([part.value for part in parts])
    weight = 1 / np.array([part.standard_error for part in parts]) ** 2
    df = np.array([part.n_clusters - 1 for part in parts])
    k = len(parts)
    centre = (weight * value).sum() / weight.sum()
    between = (weight * (value - centre) ** 2).sum() / (k - 1)
    uneven = ((1 - weight / weight.sum()) ** 2 / df).sum()
    f = float(between / (1 + 2 * (k - 2) / (k * k - 1) * uneven))
    df2 = float((k * k - 1) / (3 * uneven))
    return f, (float(k - 1), df2), f_test_p(f, k - 1, df2)
