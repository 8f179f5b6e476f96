"""item_statistics: which items are odd, why, and what dropping the dead ones would do."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import (
    DeadItems,
    MeasurementError,
    dead_items,
)
from itemeval_assets.measurement import item_statistics as estimated
from itemeval_assets.measurement.items.dead import spent_on
from itemeval_assets.measurement.items.flags import order_of_flag

from ..graders import meaning
from ..planned import TEXT, PlannedCells, require_measurable, require_scores
from .item_answers import logs_of, questions_of

__all__ = ["GraderItems", "StudyItems", "item_statistics"]

_COSTS = ("gen_usd", "grade_usd")


@dataclass(frozen=True, kw_only=True)
class GraderItems:
    """The items by the scores of one grader: a record each, and those that tell nothing apart.

    The flagged ones come first, those that may have a wrong key before others; `n_flagged` of them.
    A flagged item has the `logs` of its answers and of their grading, as paths or URIs.
    """

    graded_by: str
    scale: tuple[float, float] | None
    items: list[dict[str, Any]] = field(default_factory=list)
    n_flagged: int = 0
    dead: DeadItems | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyItems:
    """The statistics of the items of a study, by grader."""

    study: str
    policy: str
    by_grader: list[GraderItems]
    notes: list[str] = field(default_factory=list)


def item_statistics(planned: PlannedCells, graders: Collection[str]) -> StudyItems:
    """The statistics of each item, over generate conditions."""
    chosen = [one for one in planned.study.design.grade if one.id in graders]
    # What all graders cost is read once, and only where an item is dead.
    paid = cache(lambda: planned.of_graders(planned.study.design.grade, events=_COSTS))
    return StudyItems(
        study=planned.study.name,
        policy=planned.policy_name,
        by_grader=[_of(planned, one, chosen, paid) for one in chosen],
    )


def _of(
    planned: PlannedCells,
    grader: GradeCondition,
    chosen: Sequence[GradeCondition],
    paid: Callable[[], pa.Table],
) -> GraderItems:
    """Quarrels look at all chosen graders with the same scale, each once; the rest at one.

    `paid`: the cells of all graders, with what they cost.
    """
    scale = grader.grader.scale
    others = {one.first_id: one for one in reversed(chosen) if one.first_id != grader.first_id}
    same = [one for one in others.values() if scale and meaning(one) == meaning(grader)]
    peers = [grader, *same]
    cells = planned.of_graders(peers, events=[TEXT])
    own = cells.filter(pc.equal(cells["grade_condition_id"], grader.label))  # type: ignore[attr-defined]
    known: dict[str, Any] = {"graded_by": grader.label, "scale": scale}
    try:
        require_scores(own)
        require_measurable(cells)
        found = estimated(
            cells, object="gen_condition_id", grader=grader.label, solution=TEXT, scale=scale
        )
    except MeasurementError as error:
        return GraderItems(**known, words=[str(error)])
    texts = questions_of(planned)
    rows: Any = found.astype(object).where(found.notna(), None).to_dict("records")
    logs = logs_of(planned, grader.id, [row["item_id"] for row in rows if row["flag"]])
    rows.sort(key=order_of_flag)
    items = [
        {**row, "question": texts.get(row["item_id"]), "logs": logs.get(row["item_id"], [])}
        for row in rows
    ]
    known |= {"items": items, "n_flagged": sum(row["flag"] is not None for row in rows)}
    try:
        dead = dead_items(own, object="gen_condition_id", cluster=planned.checked_cluster)
    except MeasurementError as error:
        return GraderItems(**known, words=[str(error)])
    # Nobody answers or grades an item that is dropped, whoever found it dead.
    dead = replace(dead, usd=spent_on(paid(), dead.items) if dead.items else 0.0)
    return GraderItems(**known, dead=dead, words=list(_words(dead)))


def _words(dead: DeadItems) -> list[str]:
    if not dead.items:
        return ["Each item tells at least two conditions apart."]
    saved = (
        f"; without them a run of the study costs {dead.usd:.4f} USD less, in answers and gradings"
        if dead.usd
        else ""
    )
    tell = "tells" if len(dead.items) == 1 else "tell"
    return [
        f"{len(dead.items):,} of {dead.n_items:,} items {tell} no two conditions apart{saved}.",
        f"The mean standard error of a difference goes from {dead.error_with:.4f} to"
        f" {dead.error_without:.4f} on the items that remain, where differences are larger as well;"
        f" of a difference over all items it is then {dead.error_rescaled:.4f}.",
        *dead.warnings,
    ]
