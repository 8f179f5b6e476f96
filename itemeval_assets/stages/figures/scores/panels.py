"""The mean of a panel of judges: a figure of its own, by rubric."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import Estimate, MeasurementError, panel_mean

from ..graders import each_once
from ..planned import NOT_PLANNED, PlannedCells, require_measurable
from .estimates import NOTHING, parts_of
from .records import Score, StudyScores
from .scores import bounded, groups, states_of, study_scores

__all__ = ["panels"]

NAME = "panel mean"


def panels(
    planned: PlannedCells, partitions: Iterable[Partition], by: str | None = None
) -> StudyScores:
    """The mean over the judges of each rubric, on the items that all of them graded.

    A judge counts once, by the first of its chosen repeats; one judge alone by all of them.

    Raises ConfigError where no rubric has two judges, or where theirs have no scale in common.
    """
    chosen = list(partitions)
    graders = dict.fromkeys(partition.grade for partition in chosen)
    panel_of = _panels([planned.study.design.grade_by_id[grader] for grader in graders])
    tags = [*planned.own_columns, *([planned.columns.require(by, "by")] if by else [])]
    rows = [
        row
        for generate in dict.fromkeys(partition.generate for partition in chosen)
        for judges in panel_of.values()
        for row in _rows(planned, generate, judges, tags, by)
    ]
    return study_scores(planned, rows, by, NAME)


def _panels(graders: Sequence[GradeCondition]) -> Mapping[Any, Sequence[GradeCondition]]:
    """The judges of each rubric that has two or more: scores of two rubrics are never pooled, and
    neither are those of two criteria.
    """
    by_rubric: dict[tuple[str, str, str | None], list[GradeCondition]] = {}
    for one in graders:
        if one.grader.asked and (rubric := one.grader.template):
            # Several may have a name: the scorer whose template each judge fills in its own way.
            by_rubric.setdefault((rubric.name, rubric.hash, one.criterion), []).append(one)
    panels = {rubric: each_once(judges) for rubric, judges in by_rubric.items()}
    found = {rubric: judges for rubric, judges in panels.items() if len(judges) > 1}
    if not found:
        raise ConfigError(
            "a panel needs two judges or more with the same rubric, or repeats of one; chosen:"
            f" {', '.join(one.label for one in graders) or 'none'}"
        )
    for (rubric, *_), judges in found.items():
        if len({one.grader.scale for one in judges}) > 1:
            raise ConfigError(
                f"the judges of rubric {rubric} have no scale in common: choose some with --grader,"
                " or declare graders.<name>.scale"
            )
    return found


def _rows(
    planned: PlannedCells,
    generate: str,
    judges: Sequence[GradeCondition],
    tags: Sequence[str],
    by: str | None,
) -> Iterator[Score]:
    mine = [Partition((generate, judge.id)) for judge in judges]
    tables = planned.by_partition(mine, tags=tags, unplanned=True)
    cells = pa.concat_tables([table for _, table in tables])
    rubric, criterion = judges[0].grader.template, judges[0].criterion
    names = " + ".join(dict.fromkeys(judge.grader.name for judge in judges))
    if len({judge.first_id for judge in judges}) == 1:
        names = f"{names}, {len(judges)} repeats"
    label = " · ".join(filter(None, [names, rubric and rubric.short_name, criterion]))
    for group, part in groups(cells, by):
        done, left_out = states_of(part)
        covered = part.filter(pc.not_equal(part["state"], NOT_PLANNED))  # type: ignore[attr-defined]
        found = Score(
            condition=planned.study.design.labels[generate],
            graded_by=label,
            group=group,
            gen_condition_id=generate,
            grade_condition_id=None,
            scale=judges[0].grader.scale,
            cells=part.num_rows,
            left_out=left_out,
            level=planned.level,
            n_events=done,
            **_figures(planned, covered, judges),
        )
        yield bounded(found, covered, _value)


def _figures(
    planned: PlannedCells, cells: pa.Table, judges: Sequence[GradeCondition]
) -> dict[str, Any]:
    try:
        require_measurable(cells)
        return parts_of(_panel(planned, cells, judges), [])
    except MeasurementError as error:
        return {**NOTHING, "n_items": 0, "n_clusters": 0, "warnings": (str(error),)}


def _value(cells: pa.Table) -> float:
    """The figure of cells that all have a score, of one item as well."""
    of_judges = cells.group_by(["item_id", "grade_condition_id"]).aggregate([("score", "mean")])
    of_items = of_judges.group_by("item_id").aggregate([("score_mean", "mean")])
    return fmean(of_items["score_mean_mean"].to_pylist())


def _panel(planned: PlannedCells, cells: pa.Table, judges: Sequence[GradeCondition]) -> Estimate:
    return panel_mean(
        cells,
        [judge.label for judge in judges],
        cluster=planned.checked_cluster,
        scale=judges[0].grader.scale,
        level=planned.level,
    )
