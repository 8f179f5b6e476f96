"""Right answers among replications: pass@k, and the majority of k."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ..arguments import checked
from ..columns import CONDITION, Frame, codes, compact, names, shortened
from ..events import Events, Grader, read_events, rows_of_grader
from ..records import Estimate, MeasurementError
from .means import estimate_means

__all__ = ["Rate", "majority_at_k", "pass_at_k", "rate_without_certainty"]

Rate = Literal["pass", "majority"]
_Share = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@checked
def pass_at_k(
    frame: Frame,
    k: int,
    *,
    passes: float = 1.0,
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> Estimate:
    """The share of items that one of k replications passes (Chen et al. 2021, arXiv:2107.03374).

    Of n replications with c passes, an item counts 1 - C(n-c, k) / C(n, k), which has no bias for
    any k up to n. The mean over items has a clustered error and Student's t, as `mean_score`. A
    replication passes with a score of `passes` or more. Empty scores are left out, and counted.

    Raises MeasurementError for several conditions, whose answers are no replications of one.
    """
    events = read_events(frame, score=score, item=item, cluster=cluster, grader=grader)
    _refuse_pooled_conditions(frame, grader)
    return _over_items(events, k, passes, level, f"pass@{k}", _pass_share)


@checked
def majority_at_k(
    frame: Frame,
    k: int,
    *,
    passes: float = 1.0,
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> Estimate:
    """The share of items on which most of k replications pass; a draw counts half.

    Averaged over all choices of k of the n replications (hypergeometric). It votes on scores, not
    on answers: where wrong answers differ, a vote on answers is right more often.

    Raises MeasurementError for several conditions, whose answers are no replications of one.
    """
    events = read_events(frame, score=score, item=item, cluster=cluster, grader=grader)
    _refuse_pooled_conditions(frame, grader)
    return _over_items(events, k, passes, level, f"majority@{k}", _majority_share)


def _refuse_pooled_conditions(frame: Frame, grader: Grader) -> None:
    """Answers of several conditions to one item are no replications of each other."""
    rows = rows_of_grader(frame, grader)
    # Of a model with an id for each config, the name that people know comes first.
    for name in (*CONDITION[1:], CONDITION[0]):
        if name not in names(frame):
            continue
        found = codes(frame, name)
        present = np.unique(found.codes[rows])
        if len(present) > 1:
            labels = [found.labels[code] if code >= 0 else "(empty)" for code in present]
            raise MeasurementError(
                f"The rows have {len(labels)} values of {name!r}, which are never pooled as"
                f" replications: {shortened(labels)}. Choose the rows of one, and measure each by"
                " itself."
            )


def rate_without_certainty(
    frame: Frame, rate: Rate, k: int, *, passes: float, score: str = "score", item: str = "item_id"
) -> float:
    """pass@k or majority@k of these items: of one as well, which tells nothing about others."""
    events = read_events(frame, score=score, item=item, cluster=None)
    share = {"pass": _pass_share, "majority": _majority_share}[rate]
    return float(_of_items(events, k, passes, share)[1].mean())


def _over_items(
    events: Events, k: int, passes: float, level: float, method: str, share: _Share
) -> Estimate:
    items, shares = _of_items(events, k, passes, share)
    per_item = replace(events, score=shares, item=items, group=np.zeros(len(items), dtype=np.int64))
    found = estimate_means(per_item, scale=(0.0, 1.0), missing={}, level=level)[None]
    return replace(
        found,
        bounds=None,
        n_events=len(events.scored.score),
        n_missing=events.n_missing,
        method=f"{method}; {found.method}",
    )


def _of_items(
    events: Events, k: int, passes: float, share: _Share
) -> tuple[np.ndarray, np.ndarray]:
    """The items with a score, and the share of each."""
    scored = events.scored
    items, places = compact(scored.item)
    n = np.bincount(places)
    if not 1 <= k <= n.min():
        raise MeasurementError(
            f"k is {k}, and an item has {n.min()} scored replications: choose k from 1 to"
            f" {n.min()}, or leave the items with fewer out."
        )
    return items, share(n, np.bincount(places, weights=scored.score >= passes), k)


def _pass_share(n: np.ndarray, c: np.ndarray, k: int) -> np.ndarray:
    """1 - C(n-c, k) / C(n, k), as the product of the shares that fail one after the other."""
    drawn = np.arange(k)
    fails = (n - c)[:, None] - drawn
    return 1 - np.prod(np.maximum(fails, 0) / (n[:, None] - drawn), axis=1)


def _majority_share(n: np.ndarray, c: np.ndarray, k: int) -> np.ndarray:
    """In logs, as the numbers of choices are more than a double holds."""
    j = np.arange(k + 1)
    weight = np.where(2 * j > k, 1.0, np.where(2 * j == k, 0.5, 0.0))
    n, c = n[:, None].astype(float), c[:, None]
    ways = np.exp(_log_choices(c, j) + _log_choices(n - c, k - j) - _log_choices(n, k))
    return ways @ weight / ways.sum(axis=1)


def _log_choices(n: np.ndarray, k: Any) -> np.ndarray:
    """The logarithm of C(n, k); -inf where there is no choice."""
    from scipy import special

    rest = n - k
    found = special.gammaln(n + 1) - special.gammaln(np.add(k, 1))
    return np.where(rest < 0, -np.inf, found - special.gammaln(np.maximum(rest, 0) + 1))
