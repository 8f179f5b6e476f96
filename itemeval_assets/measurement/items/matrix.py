"""Respondents x items: the table that item response theory starts from."""

from typing import TYPE_CHECKING

import numpy as np

from ..arguments import checked
from ..columns import Codes, Frame, codes, compact, names
from ..events import Grader, read_events, rows_of_grader
from ..records import MeasurementError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["response_matrix"]


@checked
def response_matrix(
    frame: Frame,
    *,
    grader: Grader = None,
    passes: float | None = None,
    respondent: str | None = None,
    score: str = "score",
    item: str = "item_id",
    replication: str = "replication",
) -> "pd.DataFrame":
    """The score of each respondent on each item, NaN where there is none.

    A respondent is a generate condition, or a model where the frame has no conditions, or what
    `respondent` names. Of several replications the first one with a score counts: those of one
    respondent are not independent. `passes` makes 1 of scores of so much or more, and 0 of others,
    as `irt` takes them. Respondents and items without any score have no row and no column.

    Raises MeasurementError for several graders without a name, and where two rows of a respondent
    and an item have the same replication, so that none is the first.
    """
    import pandas as pd

    known = names(frame)
    if respondent is None:
        respondent = "gen_condition_id" if "gen_condition_id" in known else "model"
    events = read_events(frame, score=score, item=item, cluster=None, grader=grader, by=respondent)
    rows = rows_of_grader(frame, grader)
    turn = np.zeros(len(events.score), dtype=np.int64)
    if replication in known:
        turn = _turns(codes(frame, replication))[rows]
    _, cell = compact(events.group, events.item, turn)
    if np.bincount(cell).max() > 1:
        raise MeasurementError(
            f"Rows of one {respondent!r} and one {item!r} have the same {replication!r}, so that"
            " none is the first: name the column of respondents (respondent=), or leave rows out."
        )
    scored = np.flatnonzero(~np.isnan(events.score))
    last_first = scored[np.argsort(-turn[scored], kind="stable")]
    table = np.full((len(events.groups), len(events.items)), np.nan)
    table[events.group[last_first], events.item[last_first]] = events.score[last_first]
    if passes is not None:
        table = np.where(np.isnan(table), np.nan, table >= passes)
    found = pd.DataFrame(
        table,
        index=pd.Index(events.groups, name=respondent),
        columns=pd.Index(events.items.labels, name=item),
    )
    return found.dropna(axis=0, how="all").dropna(axis=1, how="all")


def _turns(replications: Codes) -> np.ndarray:
    """Which replication is before which: texts that are numbers in the order of numbers."""
    labels = replications.labels
    try:
        place = np.unique([float(label) for label in labels], return_inverse=True)[1]
    except (TypeError, ValueError):
        place = np.arange(len(labels))
    return np.append(place + 1, 0)[replications.codes]
