"""Figures about the graders of one scale: how they agree, and what may bend their scores."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import (
    Estimate,
    MeasurementError,
    cohen_kappa,
    intraclass_correlation,
    judge_severity,
    krippendorff_alpha,
    length_slope,
    self_preference,
)
from itemeval_assets.measurement.agreement.length import says_alike

from ..planned import LENGTH, PlannedCells, require_scores
from .agreed import PREFERENCE, SEVERITY, SLOPE, SLOPE_PER, Agreement, figure_of, shared_by

__all__ = ["figures_of_scale"]

# Of more scores than a rubric has words for, each is a category of its own.
MOST_CATEGORIES = 12


def figures_of_scale(
    planned: PlannedCells,
    chosen: Sequence[GradeCondition],
    cells: pa.Table,
    matrix: Callable[[], pd.DataFrame],
    why_not: str | None,
) -> Iterator[Agreement]:
    """Of the graders of one scale. `matrix`: judges x answers, of the same cells."""
    everybody = ", ".join(grader.label for grader in chosen)
    try:
        if why_not:
            raise MeasurementError(why_not)
        require_scores(cells)
        yield from _of_matrix(planned, matrix(), everybody)
        yield from _of_bias(planned, cells, everybody)
    except MeasurementError as error:
        yield Agreement(figure="agreement", of=everybody, why=str(error))
    for grader in chosen:
        own = cells.filter(pc.equal(cells["grade_condition_id"], grader.label))  # type: ignore[attr-defined]
        yield from _each(SLOPE, grader.label, lambda own=own: _slope(planned, own))


def _of_bias(planned: PlannedCells, cells: pa.Table, everybody: str) -> Iterator[Agreement]:
    """How severe each judge is, and whether it prefers its own family."""
    families, level = planned.study.config.measurement.families, planned.level
    yield from _each(
        SEVERITY,
        everybody,
        lambda: judge_severity(cells, cluster=planned.checked_cluster, level=level),
    )
    yield from _each(
        PREFERENCE,
        everybody,
        lambda: self_preference(
            cells, families=families, cluster=planned.checked_cluster, level=level
        ),
    )


def _slope(planned: PlannedCells, own: pa.Table) -> Mapping[Any, Estimate]:
    """Raises MeasurementError where lengths hardly differ: such a slope is far off any scale."""
    require_scores(own)
    cluster, level = planned.checked_cluster, planned.level
    found = length_slope(
        own, length=LENGTH, within=["model"], per=SLOPE_PER, cluster=cluster, level=level
    )
    for slope in found.values():
        if words := says_alike(slope):
            raise MeasurementError(words)
    return found


def _of_matrix(
    planned: PlannedCells, matrix: "pd.DataFrame", everybody: str
) -> Iterator[Agreement]:
    """`matrix`: judges x answers. Answers to one item are not independent."""
    level, shared = planned.level, shared_by(planned, matrix.columns)
    yield figure_of(
        "Krippendorff's alpha (interval)",
        everybody,
        lambda: krippendorff_alpha(matrix, level="interval", confidence=level, **shared),
    )
    complete = matrix.T.dropna()
    of_complete = shared_by(planned, complete.index)
    for form in ("2,1", "2,k"):
        yield figure_of(
            f"ICC({form})",
            everybody,
            lambda form=form: intraclass_correlation(
                complete.to_numpy(), form=form, level=level, **of_complete
            ),
        )
    crowded = []
    for a, b in combinations(matrix.index, 2):
        found = np.unique(matrix.loc[[a, b]].to_numpy())
        n_categories = int((~np.isnan(found)).sum())
        if n_categories > MOST_CATEGORIES:
            crowded.append(f"{a}, {b}")
            continue
        # Without weights where scores are right or wrong, else with squared distances.
        binary = n_categories <= len("01")
        yield figure_of(
            "kappa" if binary else "kappa (quadratic weights)",
            f"{a}, {b}",
            lambda a=a, b=b, binary=binary: cohen_kappa(
                matrix.loc[a].tolist(),
                matrix.loc[b].tolist(),
                weights=None if binary else "quadratic",
                level=level,
                **shared,
            ),
        )
    if crowded:
        why = f"More than {MOST_CATEGORIES} different scores are no categories: see alpha and ICC."
        yield Agreement(figure="kappa", of="; ".join(crowded), why=why)


def _each(
    figure: str, of: str, estimated: Callable[[], Mapping[Any, Estimate]]
) -> Iterator[Agreement]:
    try:
        found: Mapping[Hashable, Estimate] = estimated()
    except MeasurementError as error:
        yield Agreement(figure=figure, of=of, why=str(error))
        return
    for name, estimate in found.items():
        yield Agreement(figure=figure, of=str(name), estimate=estimate)
