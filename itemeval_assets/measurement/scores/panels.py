"""A panel of judges: the mean of their scores, as a figure of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arguments import checked
from ..columns import GRADE_CONDITION, Frame, counted
from ..events import read_events
from ..records import Estimate, MeasurementError, Scale
from .cells import item_means
from .means import estimate_means

__all__ = ["panel_mean"]


@checked
def panel_mean(
    frame: Frame,
    graders: Sequence[str] | None = None,
    *,
    by: str = GRADE_CONDITION,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    scale: Scale | None = None,
    level: float = 0.95,
) -> Estimate:
    """The mean over judges of their item means, on the items that all of them graded.

    Each judge weighs the same. It says how good a condition is for these judges, not for judges
    in general: they are fixed. `by` is the column that tells judges apart.
    """
    events = read_events(
        frame, score=score, item=item, cluster=cluster, grader=graders, by=by, pooled=True
    )
    cells = item_means(events.scored)
    n_judges = len(np.unique(events.group))
    if n_judges == 1:
        raise MeasurementError("One judge is no panel: its figure is its mean score.")
    judges = np.bincount(cells.item, minlength=len(events.items))
    complete = np.flatnonzero(judges == n_judges)
    if not len(complete):
        raise MeasurementError(f"No item has a score of all {n_judges} judges.")
    mean = np.bincount(cells.item, cells.mean, len(events.items))[complete] / n_judges
    panel = replace(
        events, score=mean, item=complete, group=np.zeros(len(complete), np.int64), groups=[None]
    )
    found = estimate_means(panel, scale=scale, missing={}, level=level)[None]
    left_out = int((judges > 0).sum()) - len(complete)
    items = counted(left_out, "item")
    said = [f"{items} without a score of each judge: left out."] * bool(left_out)
    used = np.isin(events.scored.item, complete)
    return replace(
        found,
        n_events=int(used.sum()),
        n_missing=events.n_missing,
        method=f"panel of {n_judges}; {found.method}",
        warnings=(*said, *found.warnings),
    )
