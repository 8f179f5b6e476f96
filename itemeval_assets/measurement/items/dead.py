"""What it would save to drop the items that tell nothing apart, and what it would cost."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass

import numpy as np

from ..arguments import checked
from ..columns import CONDITION, Frame, codes, compact, names
from ..comparisons.answers import Answers, read_answers
from ..comparisons.paired import pairs_with
from ..events import Grader
from ..numeric import numbers
from ..records import MeasurementError

__all__ = ["DeadItems", "dead_items", "spent_on"]


@dataclass(frozen=True)
class DeadItems:
    """Items on which all objects have the same mean, and what a study without them would be.

    `usd` is what their rows cost. `error_with` is the mean standard error of the differences of
    all pairs, `error_without` that of the differences on the other items, which are larger.
    `error_rescaled` is the one that the other items give for a difference over all items, to which
    a dead item adds 0.
    """

    items: list[Hashable]
    n_items: int
    usd: float | None
    error_with: float
    error_without: float
    error_rescaled: float
    warnings: tuple[str, ...]


@checked
def dead_items(
    frame: Frame,
    *,
    object: str = "model",
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    answer_usd: str = "gen_usd",
    grade_usd: str = "grade_usd",
) -> DeadItems:
    """Find the items that no object differs on. Errors are clustered, as those of `compare`.

    An answer that several graders scored is paid once. An item that is dead for these objects may
    tell others apart.
    """
    answers = read_answers(
        frame, object=object, score=score, item=item, cluster=cluster, grader=grader
    )
    if len(answers.objects) < 2:
        raise MeasurementError("One object cannot differ from others: give two or more.")
    with np.errstate(invalid="ignore"):
        apart = np.nanmax(answers.mean, axis=0) - np.nanmin(answers.mean, axis=0)
    answered = (~np.isnan(answers.mean)).sum(axis=0)
    dead = (apart <= answers.rounding) & (answered > 1)
    alive = ~dead
    if not alive.any():
        raise MeasurementError("All items are dead: no item tells two objects apart.")
    if alive.sum() == 1:
        raise MeasurementError("One item alone tells objects apart: an error needs two or more.")
    if len(np.unique(answers.cluster[alive])) < 2:
        raise MeasurementError("One cluster alone tells objects apart: an error needs two or more.")
    remaining = _mean_error(answers.only_items(alive))
    labels = codes(frame, item).labels
    names_of_dead = sorted((labels[code] for code in answers.item[dead]), key=str)
    return DeadItems(
        items=names_of_dead,
        n_items=len(dead),
        usd=spent_on(frame, names_of_dead, item=item, answer_usd=answer_usd, grade_usd=grade_usd),
        error_with=_mean_error(answers),
        error_without=remaining,
        error_rescaled=float(alive.mean()) * remaining,
        warnings=(
            "These items may tell other objects apart: keep them where models change.",
            "Without them the mean of a condition is another figure, of harder or easier items.",
        ),
    )


def spent_on(
    frame: Frame,
    items: Collection[Hashable],
    *,
    item: str = "item_id",
    answer_usd: str = "gen_usd",
    grade_usd: str = "grade_usd",
) -> float | None:
    """What the rows of some items cost, each answer once; null where the frame has no costs."""
    known = names(frame)
    coded, wanted = codes(frame, item), set(items)
    places_of = [code for code, label in enumerate(coded.labels) if label in wanted]
    rows = np.isin(coded.codes, places_of)
    if answer_usd not in known and grade_usd not in known:
        return None
    spent = float(np.nansum(numbers(frame, grade_usd)[rows])) if grade_usd in known else 0.0
    if answer_usd in known:
        key = [name for name in (*CONDITION, item, "replication") if name in known]
        _, places = compact(*(codes(frame, name).codes[rows] + 1 for name in key))
        of_answer = np.zeros(int(places.max(initial=-1)) + 1)
        np.maximum.at(of_answer, places, np.nan_to_num(numbers(frame, answer_usd)[rows]))
        spent += float(of_answer.sum())
    return spent


def _mean_error(answers: Answers) -> float:
    others = np.arange(len(answers.objects))
    errors = [
        pairs.error
        for first in others[:-1]
        for pairs in pairs_with(answers, int(first), others[first + 1 :])
    ]
    return float(np.concatenate(errors).mean())
