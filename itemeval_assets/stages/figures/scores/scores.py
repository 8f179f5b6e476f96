"""scores: a figure of each generate x grade condition, how sure it is, and what it leaves out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study

from ..item_columns import NO_GROUP
from ..planned import NOT_PLANNED, PlannedCells
from .estimates import MEAN, NOTHING, Figure, bounds_of, figures_of
from .not_shown import about_not_shown
from .records import Score, StudyScores
from .words import words_of

__all__ = ["bounded", "groups", "score_of", "scores", "states_of", "study_scores"]

# The states of cells that a run makes, and that nobody was called for.
_UNCALLED = frozenset({"missing", "stale"})


def scores(
    planned: PlannedCells,
    partitions: Iterable[Partition] | None = None,
    by: str | None = None,
    figure: Figure = MEAN,
) -> StudyScores:
    """The scores of these partitions, of all by default; `by`: for each value of an item column."""
    chosen = planned.study.grade_partitions() if partitions is None else partitions
    tags = [*planned.own_columns, *([planned.columns.require(by, "by")] if by else [])]
    tables = planned.by_partition(chosen, tags=tags, unplanned=True)
    rows = [
        _score(planned, partition, group, cells, figure)
        for partition, table in tables
        for group, cells in groups(table, by)
    ]
    return study_scores(planned, rows, by, figure.name)


def score_of(planned: PlannedCells, partition: Partition, table: pa.Table) -> Score:
    """The score of one partition of the table `cells`."""
    cells = planned.prepared(partition, table, tags=planned.own_columns, unplanned=True)
    return _score(planned, partition, None, cells, MEAN)


def study_scores(
    planned: PlannedCells, rows: list[Score], by: str | None = None, figure: str = MEAN.name
) -> StudyScores:
    """Scores together, with what is to be said of all."""
    return StudyScores(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        cluster=planned.cluster,
        by=by,
        rows=rows,
        words=_words(planned, rows),
        figure=figure,
    )


def _words(planned: PlannedCells, rows: list[Score]) -> list[str]:
    if not planned.is_graded:
        return [f"N{planned.not_graded[1:]}"]
    shown = {row.graded_by for row in rows}
    graders = [one for one in planned.study.design.grade if one.label in shown]
    return [
        *words_of(rows),
        *_about_settled(graders),
        *about_not_shown(planned, graders, {row.gen_condition_id for row in rows}),
        *planned.about_mocks,
    ]


def _about_settled(graders: Iterable[GradeCondition]) -> Iterator[str]:
    for one in graders:
        if one.grader.after:
            yield (
                f"{one.label} grades after {one.grader.after.name}: what that finds wholly right"
                " has the highest score, and the judge was not called for it."
            )


def groups(table: pa.Table, by: str | None) -> Iterator[tuple[str | None, pa.Table]]:
    """The cells of each value of a column, in the order of the values; those without one last."""
    if by is None:
        yield None, table
        return
    for value in sorted(table[by].unique().to_pylist(), key=lambda one: (one is None, one)):
        same = pc.is_null(table[by]) if value is None else pc.equal(table[by], value)  # type: ignore[attr-defined]
        yield NO_GROUP if value is None else value, table.filter(same)


def states_of(cells: pa.Table) -> tuple[int, dict[str, int]]:
    """How many cells have a score, and {state: cells} of the others."""
    counted = cells["state"].value_counts().to_pylist()
    states = {one["values"]: one["counts"] for one in counted}
    done = states.pop("done", 0)
    return done, {state: states[state] for state in sorted(states)}


def _score(
    planned: PlannedCells,
    partition: Partition,
    group: str | None,
    cells: pa.Table,
    figure: Figure,
) -> Score:
    condition, graded_by = planned.study.design.labels_of(partition)
    scale = planned.study.design.grade_by_id[partition.grade].grader.scale
    done, left_out = states_of(cells)
    covered = cells.filter(pc.not_equal(cells["state"], NOT_PLANNED))  # type: ignore[attr-defined]
    found = Score(
        condition=condition,
        graded_by=graded_by,
        group=group,
        gen_condition_id=partition.generate,
        grade_condition_id=partition.grade,
        scale=scale,
        cells=cells.num_rows,
        left_out=left_out,
        level=planned.level,
        n_events=done,
        **(
            figures_of(figure, planned, covered, scale)
            if done
            else _without_scores(covered, planned.study, partition)
        ),
    )
    return bounded(found, covered, lambda filled: figure.value(planned, filled, scale))


def bounded(found: Score, covered: pa.Table, value: Callable[[pa.Table], float]) -> Score:
    """The score with bounds, where it leaves many cells out and the scale is known."""
    if found.scale is None or not found.misses_many:
        return found
    return replace(found, bounds=bounds_of(value, covered, found.scale))


def _without_scores(cells: pa.Table, study: Study, partition: Partition) -> dict[str, Any]:
    why = "No cell has a score." if cells.num_rows else "The policy covers no cell."
    if cells.num_rows and _UNCALLED.issuperset(cells["state"].unique().to_pylist()):
        why = (
            "No cell has a score yet: run the study again. A changed template or setting is a new"
            " condition."
        )
        if study.config.benchmark.from_logs:
            why = "No cell has a score: its answers are in no log that came in."
        if study.design.is_rated(partition):
            why = "Nobody has rated an answer yet: write a sheet with `ratings sheet`."
    return {**NOTHING, "n_items": 0, "n_clusters": 0, "warnings": (why,)}
