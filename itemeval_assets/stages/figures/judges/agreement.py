"""agreement: do judges agree with each other, and are they fair? From cells that exist."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions import GradeCondition
from itemeval_assets.measurement import (
    Estimate,
    MeasurementError,
    cohen_kappa,
    intraclass_correlation,
    judge_severity,
    krippendorff_alpha,
    length_slope,
    rating_matrix,
    self_preference,
)

from ..graders import by_scale, incomparable, scale_in_words
from ..planned import LENGTH, PlannedCells, require_scores
from .agreed import (
    PREFERENCE,
    SEVERITY,
    SLOPE,
    Agreement,
    figure_of,
    said_of,
    shared_by,
)
from .cards import JudgeCard, cards_of
from .repeats import said_of_cold, with_itself

__all__ = ["Agreement", "StudyAgreement", "agreement"]

# Of more scores than a rubric has words for, each is a category of its own.
MOST_CATEGORIES = 12


@dataclass(frozen=True, kw_only=True)
class StudyAgreement:
    """How the judges of a study agree, and what may bend their scores; with a card of each.

    Judges are compared with those of their scale: `scales` has that of each.
    """

    study: str
    policy: str
    level: float
    cluster: str | None
    judges: list[str]
    figures: list[Agreement]
    scales: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    cards: list[JudgeCard] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def agreement(planned: PlannedCells, graders: Collection[str]) -> StudyAgreement:
    """Kappas, alpha and ICC between the chosen graders; severity, preference and length.

    Each judge counts once, by the first of its chosen repeats, and is compared with the others.
    """
    repeats: dict[str, list[GradeCondition]] = {}
    for grader in planned.study.design.grade:
        if grader.id in graders:
            repeats.setdefault(grader.first_id, []).append(grader)
    chosen = [group[0] for group in repeats.values()]
    repeated = [group for group in repeats.values() if len(group) > 1]
    of_repeats = [figure for group in repeated for figure in with_itself(planned, group)]
    groups = by_scale(chosen)
    figures: list[Agreement] = []
    cards: list[JudgeCard] = []
    for group in groups:
        cells = planned.of_graders(group, events=(LENGTH, "grade_usd"))
        matrix = cache(partial(rating_matrix, cells))
        found = list(_figures(planned, group, cells, matrix, _why_not(group, groups)))
        cards += cards_of(planned, group, cells, matrix, [*found, *of_repeats])
        figures += _of_scale(found, group) if len(groups) > 1 else found
    figures += of_repeats
    own = (figure for card in cards for figure in card.figures if figure not in figures)
    return StudyAgreement(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        cluster=planned.cluster,
        judges=[grader.label for grader in chosen],
        scales={grader.label: grader.grader.scale for grader in chosen},
        figures=figures,
        cards=cards,
        words=[
            *_words(groups, [*figures, *own]),
            *said_of_cold(repeated),
            *planned.about_mocks,
        ],
    )


def _why_not(
    group: Sequence[GradeCondition], groups: Sequence[Sequence[GradeCondition]]
) -> str | None:
    """Why the graders of one scale have none to agree with; null where they have."""
    if len(group) > 1:
        return None
    if all(len(other) == 1 for other in groups):
        return incomparable([one for other in groups for one in other])
    label, scale = group[0].label, group[0].grader.scale
    if scale is None:
        return f"{label} declares no scale, and no other grader has its rubric."
    return f"No other grader has the scale of {label}, {scale_in_words(scale)}."


def _of_scale(figures: Sequence[Agreement], group: Sequence[GradeCondition]) -> Iterator[Agreement]:
    """What is of families is told apart by the scale of their judges."""
    scale = scale_in_words(group[0].grader.scale)
    for one in figures:
        named = one.figure == PREFERENCE and one.estimate
        yield replace(one, of=f"{one.of}, scale {scale}") if named else one


def _figures(
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
    require_scores(own)
    cluster = planned.checked_cluster
    return length_slope(own, length=LENGTH, within=["model"], cluster=cluster, level=planned.level)


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


def _words(
    groups: Sequence[Sequence[GradeCondition]], figures: Sequence[Agreement]
) -> Iterator[str]:
    if not groups:
        yield "The study has no judge: agreement is between graders. Name some with --grader."
    if len(groups) > 1 and any(len(group) > 1 for group in groups):
        yield "Scores of two scales cannot be compared: each figure is of the judges of one scale."
    yield from said_of(figures)
