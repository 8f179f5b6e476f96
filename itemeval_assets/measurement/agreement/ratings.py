"""The scores of several judges side by side, and how well those of one judge agree."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import checked
from ..columns import GRADE_CONDITION, Frame, compact, full_codes, shortened
from ..events import Events, read_events
from ..records import Estimate, MeasurementError
from ..scores.means import estimate_means
from .alpha import krippendorff_alpha
from .patterns import Level

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANSWER", "Ratings", "SelfAgreement", "rating_matrix", "read_ratings", "self_agreement"]

ANSWER = ("gen_condition_id", "item_id", "replication")


@dataclass(frozen=True)
class Ratings:
    """Judges x answers: the score, NaN where there is none, and the item of each answer."""

    judges: list
    score: np.ndarray
    item: np.ndarray
    answer: np.ndarray
    events: Events

    def as_events(self, values: np.ndarray, answers: np.ndarray, groups: list) -> Events:
        """Values by group and answer as events, so that they get errors clustered by item."""
        n_groups, n_answers = values.shape
        return replace(
            self.events,
            score=values.ravel(),
            item=np.tile(self.item[answers], n_groups),
            group=np.repeat(np.arange(n_groups), n_answers),
            groups=groups,
        )


@dataclass(frozen=True)
class SelfAgreement:
    """How alike the repeats of one judge are: alpha, and the share of answers scored the same."""

    alpha: Estimate
    same: Estimate
    n_repeats: int


@checked
def rating_matrix(
    frame: Frame,
    *,
    judge: str = GRADE_CONDITION,
    answer: Sequence[str] = ANSWER,
    score: str = "score",
) -> "pd.DataFrame":
    """Judges x answers, as `krippendorff_alpha` takes them; `.T` is what ICC takes.

    An answer is a combination of the columns `answer`. A judge that scored one twice is refused.
    """
    import pandas as pd

    by_item = next(iter(answer), "")
    ratings = read_ratings(frame, judge=judge, answer=answer, score=score, item=by_item)
    columns = [full_codes(frame, name) for name in answer]
    codes: Any = [column.codes[ratings.answer] for column in columns]
    labels = [column.labels for column in columns]
    index = pd.MultiIndex(levels=labels, codes=codes, names=list(answer))
    return pd.DataFrame(ratings.score, index=pd.Index(ratings.judges, name=judge), columns=index)


def read_ratings(
    frame: Frame,
    *,
    judge: str,
    answer: Sequence[str],
    score: str,
    item: str,
    cluster: str | None = None,
    judges: Sequence[Hashable] | None = None,
) -> Ratings:
    """The scores by judge and answer, of all judges or of some."""
    if not answer:
        raise MeasurementError("answer=[] names no column: give those that tell answers apart")
    events = read_events(frame, score=score, item=item, cluster=cluster, by=judge, pooled=True)
    chosen = list(judges) if judges is not None else events.groups
    unknown = [label for label in chosen if label not in events.groups]
    if unknown:
        raise MeasurementError(
            f"{unknown[0]!r} is no value of {judge!r}. It has: {shortened(events.groups)}."
        )
    if len(set(chosen)) < 2:
        raise MeasurementError(f"{judge!r} has one judge: agreement needs two or more.")
    row_of = np.full(len(events.groups), -1)
    row_of[[events.groups.index(label) for label in chosen]] = np.arange(len(chosen))
    keys, places = compact(*(full_codes(frame, name).codes for name in answer))
    used = np.flatnonzero((row_of[events.group] >= 0) & ~np.isnan(events.score))
    row, column = row_of[events.group[used]], places[used]
    taken = np.bincount(row * len(keys) + column, minlength=len(chosen) * len(keys))
    if taken.max(initial=0) > 1:
        raise MeasurementError(
            f"A judge has {taken.max()} scores of one answer: answer= must name the columns that"
            f" tell answers apart (now {', '.join(answer)})."
        )
    table = np.full((len(chosen), len(keys)), np.nan)
    table[row, column] = events.score[used]
    first = np.zeros(len(keys), dtype=np.int64)
    first[places] = np.arange(len(places))
    return Ratings(chosen, table, events.item[first], first, events)


@checked
def self_agreement(
    frame: Frame,
    repeats: Sequence[Hashable],
    *,
    scale_level: Level = "interval",
    judge: str = GRADE_CONDITION,
    answer: Sequence[str] = ANSWER,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> SelfAgreement:
    """Does a judge score the same answer alike each time? `repeats` are its grade conditions.

    Krippendorff's alpha over the answers that two repeats or more scored, and the share of the
    answers with all repeats on which they give the same score, both with errors clustered by item,
    or by `cluster`.
    """
    ratings = read_ratings(
        frame,
        judge=judge,
        answer=answer,
        score=score,
        item=item,
        cluster=cluster,
        judges=repeats,
    )
    complete = np.flatnonzero(~np.isnan(ratings.score).any(axis=0))
    if not len(complete):
        raise MeasurementError("No answer has a score of each repeat: name fewer repeats.")
    scores = ratings.score[:, complete]
    same = (scores == scores[0]).all(axis=0).astype(float)
    events = ratings.as_events(same[None, :], complete, [None])
    return SelfAgreement(
        alpha=krippendorff_alpha(
            ratings.score,
            level=scale_level,
            confidence=level,
            item=ratings.item.tolist(),
            cluster=ratings.events.cluster[ratings.item].tolist(),
        ),
        same=estimate_means(events, scale=(0.0, 1.0), missing={}, level=level)[None],
        n_repeats=len(ratings.judges),
    )
