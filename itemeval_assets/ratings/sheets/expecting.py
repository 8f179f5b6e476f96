"""How sure the means by a rater are, and how sure they would be with more ratings."""

from collections import defaultdict
from collections.abc import Iterable

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.study import Study
from itemeval_assets.measurement.scores.predictions import expected_half_width
from itemeval_assets.stages.figures.judges.people import PairedScores, paired_scores
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.storage.study.store import ResultsStore

from ..records import Expected

# Fewer labels do not tell how scores vary.
_FEWEST = 10


def expected_of(
    study: Study,
    store: ResultsStore,
    items: pa.Table,
    rater: GradeCondition,
    chosen: Iterable[tuple[str, Cell]],
) -> list[Expected]:
    """For each model, with the judge whose scores help most."""
    planned = PlannedCells(study, store, items, "full-interactive")
    model_of = {one.id: one.model for one in study.design.generate}
    new: dict[str, list[Cell]] = defaultdict(list)
    for condition, cell in chosen:
        new[model_of[condition]].append(cell)
    pairs = _pairs(planned, rater)
    return [
        _expected(model, pairs.get(model, []), new[model], items.num_rows, planned.level)
        for model in dict.fromkeys(model_of.values())
    ]


def _pairs(planned: PlannedCells, rater: GradeCondition) -> dict[str, list[PairedScores]]:
    """By model, the scores of each judge beside those of the rater; none of a rater to come."""
    found: dict[str, list[PairedScores]] = defaultdict(list)
    if rater.id in planned.study.design.grade_by_id:
        for judge in planned.study.design.grade:
            if not judge.grader.by_people:
                for pair in paired_scores(planned, judge, rater):
                    found[pair.model].append(pair)
    return found


def _expected(
    model: str, pairs: list[PairedScores], new: list[Cell], of_items: int, level: float
) -> Expected:
    rated = max((set(pair.labelled["item_id"]) for pair in pairs), key=len, default=set())
    added = {cell.item_id for cell in new} - rated
    best = Expected(model, None, len(rated), of_items, len(new), None, None)
    for pair in pairs:
        labels, judged, others = pair.by_item()
        n = len(labels)
        if n < _FEWEST:
            continue
        now, then = (
            expected_half_width(labels, judged, others, count, level)
            for count in (n, n + len(added))
        )
        if best.then is None or then < best.then:
            best = best._replace(judge=pair.judge.label, now=now, then=then)
    return best
