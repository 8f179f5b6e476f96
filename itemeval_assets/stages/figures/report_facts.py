"""What a report of a study shows: its design, figures, hardest items, costs, gaps and origin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.times import now
from itemeval_assets.stages.views import cells, costs, status
from itemeval_assets.stages.views.cells import CellSurvey
from itemeval_assets.stages.views.costs import Costs
from itemeval_assets.stages.views.status import StudyStatus
from itemeval_assets.storage.study.manifests import manifests_of

from .all_figures import StudyFigures, all_figures
from .conditions import conditions
from .items.item_answers import ItemAnswers, item_answers
from .planned import PlannedCells
from .scores.records import StudyScores
from .scores.scores import scores

__all__ = ["HardestItems", "ReportFacts", "report_facts"]

_MOST_HARDEST = 5
# Of a mean of scores.
_ROUNDING = 1e-9
# A column of the items with more values than this groups nothing.
_MOST_GROUPS = 12


@dataclass(frozen=True, kw_only=True)
class HardestItems:
    """The items with the lowest mean scores by one grader, and the answers to them.

    An item with the best mean there can be is none of them.
    """

    graded_by: str
    mean_scores: list[float]
    items: list[ItemAnswers]


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What a report is made of.

    `by` has the scores split by each column of the items that groups them, `hardest` items by the
    first grader. `manifests` are those of all runs, oldest first. `made_at` is UTC.
    """

    study: Study
    made_at: str
    package_version: str
    status: StudyStatus
    cells: CellSurvey
    conditions: list[dict[str, Any]]
    scores: StudyScores
    by: list[StudyScores]
    figures: StudyFigures
    hardest: HardestItems | None
    costs: Costs
    manifests: Sequence[Mapping[str, Any]]


def report_facts(planned: PlannedCells) -> ReportFacts:
    """Read and estimate all of it. Raises StoreError where nothing is graded yet."""
    study, store = planned.study, planned.store
    if not planned.is_graded:
        raise StoreError(f"study {study.name}: {planned.not_graded}")
    figures = all_figures(planned)
    partitions = study.grade_partitions()
    log_index = store.read("log_index", columns=["run_id"])
    return ReportFacts(
        study=study,
        made_at=now(),
        package_version=version("itemeval-assets"),
        status=status.survey(study, store, planned.policy),
        cells=cells.survey(study, store, partitions, planned.policy, (), planned.items),
        conditions=conditions(study),
        scores=scores(planned),
        by=[scores(planned, by=name) for name in _groups(planned)],
        figures=figures,
        hardest=_hardest(planned, figures),
        costs=costs.costs(study, store),
        manifests=manifests_of(store, log_index["run_id"].to_pylist()),
    )


def _groups(planned: PlannedCells) -> Iterator[str]:
    """The columns of the items that put several of them into a group."""
    for name in (*planned.study.metadata_columns, "dataset_id"):
        values = set(planned.columns.by_item(name).values())
        if 1 < len(values) <= min(_MOST_GROUPS, planned.items.num_rows // 2):
            yield name


def _hardest(planned: PlannedCells, figures: StudyFigures) -> HardestItems | None:
    """Those of the first grader that has scores; null where no item is missed by any condition."""
    if isinstance(figures.item_statistics, str):
        return None
    first = next((one for one in figures.item_statistics.by_grader if one.items), None)
    if first is None:
        return None
    known = [row for row in first.items if row["difficulty"] is not None]
    best = first.scale[1] if first.scale else max((row["difficulty"] for row in known), default=0)
    missed = [row for row in known if row["difficulty"] < best - _ROUNDING]
    rows = sorted(missed, key=lambda row: row["difficulty"])[:_MOST_HARDEST]
    if not rows:
        return None
    design = planned.study.design
    partitions = [
        partition
        for partition in planned.study.grade_partitions()
        if design.labels[partition.grade] == first.graded_by
    ]
    return HardestItems(
        graded_by=first.graded_by,
        mean_scores=[row["difficulty"] for row in rows],
        items=item_answers(planned, [row["item_id"] for row in rows], partitions),
    )
