"""scores: a figure of each generate x grade condition, how sure it is, and what it leaves out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import Partition

from .estimates import MEAN, NOTHING, Figure, figures_of
from .planned import NOT_PLANNED, PlannedCells

__all__ = ["Score", "StudyScores", "groups", "score_of", "scores", "states_of", "study_scores"]

# From this share of missing cells on, what they could change stands beside the mean.
MANY = 0.02
FEW_CLUSTERS = 30


@dataclass(frozen=True, kw_only=True)
class Score:
    """The mean score of one generate x grade condition, and of one `group` where there are any.

    `mean` is null without a score, and the interval from `low` to `high` where scores allow none:
    `warnings` say why. Of another figure than the mean score, `mean` is that of the figure over
    items, and of a panel `grade_condition_id` is null. `cells` are all of the design, `left_out`
    those without a score, by state.
    `bounds`: the mean if all planned cells without a score had the worst, and if they had the best
    of the scale; there where these are more than 2 %, and a scale is declared.
    """

    condition: str
    graded_by: str
    group: str | None
    gen_condition_id: str
    grade_condition_id: str | None
    scale: tuple[float, float] | None
    cells: int
    left_out: dict[str, int]
    mean: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    level: float
    n_events: int
    n_items: int
    n_clusters: int
    method: str | None
    bounds: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def misses_many(self) -> bool:
        """Whether so many planned cells have no score that these could change the mean."""
        unplanned = self.left_out.get(NOT_PLANNED, 0)
        missing = sum(self.left_out.values()) - unplanned
        return missing > MANY * (self.cells - unplanned)


@dataclass(frozen=True, kw_only=True)
class StudyScores:
    """The scores of a study under a policy: one `figure` of each condition.

    `words` say what the figures do not show.
    """

    study: str
    policy: str
    level: float
    cluster: str | None
    by: str | None
    rows: list[Score]
    words: list[str]
    figure: str = MEAN.name


def scores(
    planned: PlannedCells,
    partitions: Iterable[Partition] | None = None,
    by: str | None = None,
    figure: Figure = MEAN,
) -> StudyScores:
    """The scores of these partitions, of all by default; `by`: for each value of an item column."""
    chosen = planned.study.grade_partitions() if partitions is None else partitions
    tags = [*planned.own_columns, *([planned.require_column(by, "by")] if by else [])]
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
        words=list(_words(rows, has_bounds=figure == MEAN.name)),
        figure=figure,
    )


def groups(table: pa.Table, by: str | None) -> Iterator[tuple[str | None, pa.Table]]:
    """The cells of each value of a column, in the order of the values; those without one last."""
    if by is None:
        yield None, table
        return
    for value in sorted(table[by].unique().to_pylist(), key=lambda one: (one is None, one)):
        same = pc.is_null(table[by]) if value is None else pc.equal(table[by], value)  # type: ignore[attr-defined]
        yield "(none)" if value is None else value, table.filter(same)


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
        **(figures_of(figure, planned, covered, scale) if done else _without_scores(covered)),
    )
    return found if found.misses_many else replace(found, bounds=None)


def _without_scores(cells: pa.Table) -> dict[str, Any]:
    why = "No cell has a score." if cells.num_rows else "The policy covers no cell."
    return {**NOTHING, "n_items": 0, "n_clusters": 0, "warnings": (why,)}


def _words(rows: list[Score], *, has_bounds: bool) -> Iterator[str]:
    """What to say of the table as a whole: each warning once, and what it is about."""
    few = [row.n_clusters for row in rows if 0 < row.n_clusters < FEW_CLUSTERS]
    if few:
        alone = all(row.n_clusters in (0, row.n_items) for row in rows)
        yield (
            f"Only {_from_to(few)} {'items' if alone else 'independent clusters of items'}: so few"
            " prove nothing about others. Intervals are wide, and may even be too narrow."
        )
    missing = [row for row in rows if row.misses_many]
    if missing:
        yield (
            f"{len(missing)} of {len(rows)} means leave out more than {100 * MANY:g} % of their"
            + " cells."
            + " Bounds are the means if all of these had the worst, or the best score." * has_bounds
        )
    undeclared = sorted({row.graded_by for row in missing if row.scale is None})
    if undeclared and has_bounds:
        yield (
            f"No bounds of {', '.join(undeclared)}: no scale is declared. Write it as"
            " graders.<name>.scale, as the rubric has it."
        )
    about: dict[str, list[str]] = {}
    for row in rows:
        for warning in row.warnings:
            if not (warning.startswith("Only ") and few):
                name = f"{row.condition} | {row.graded_by}"
                about.setdefault(warning, []).append(name if row.group is None else row.group)
    for warning, names in about.items():
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{warning} ({names[0]}{more})"


def _from_to(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
