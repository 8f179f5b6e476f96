"""agreement: do judges agree with each other, and are they fair? From cells that exist."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

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
    self_agreement,
    self_preference,
)

from .planned import PlannedCells, require_measurable

__all__ = ["Agreement", "StudyAgreement", "agreement"]

# Of more scores than a rubric has words for, each is a category of its own.
MOST_CATEGORIES = 12
_ITSELF = "alpha with itself"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One figure about judges; `of` says whom it is about. Null where `why` says so."""

    figure: str
    of: str
    estimate: Estimate | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class StudyAgreement:
    """How the judges of a study agree, and what may bend their scores."""

    study: str
    policy: str
    level: float
    judges: list[str]
    figures: list[Agreement]
    words: list[str] = field(default_factory=list)


def agreement(planned: PlannedCells, graders: Collection[str]) -> StudyAgreement:
    """Kappas, alpha and ICC between the chosen graders; severity, preference and length.

    Each judge counts once, by the first of its chosen repeats, and is compared with the others.
    """
    repeats: dict[str, list[GradeCondition]] = {}
    for one in planned.study.design.grade:
        if one.id in graders:
            repeats.setdefault(one.first_id, []).append(one)
    chosen = [group[0] for group in repeats.values()]
    repeated = [group for group in repeats.values() if len(group) > 1]
    figures = [
        *(_figures(planned, chosen) if chosen else ()),
        *(one for group in repeated for one in _with_itself(planned, group)),
    ]
    return StudyAgreement(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        judges=[one.label for one in chosen],
        figures=figures,
        words=[*_words(chosen, figures), *_cold(repeated)],
    )


def _figures(planned: PlannedCells, chosen: Sequence[GradeCondition]) -> Iterator[Agreement]:
    cells = planned.of_graders(chosen, events=("solution",))
    level, cluster = planned.level, planned.cluster
    everybody = ", ".join(one.label for one in chosen)
    try:
        require_measurable(cells)
    except MeasurementError as error:
        yield Agreement(figure="agreement", of=everybody, why=str(error))
        return
    if why := _incomparable(chosen):
        yield Agreement(figure="agreement", of=everybody, why=why)
    else:
        try:
            yield from _of_matrix(rating_matrix(cells), everybody, level)
        except MeasurementError as error:
            yield Agreement(figure="agreement", of=everybody, why=str(error))
        yield from _each(
            "severity", everybody, lambda: judge_severity(cells, cluster=cluster, level=level)
        )
        families = planned.study.config.measurement.families
        yield from _each(
            "self-preference",
            everybody,
            lambda: self_preference(cells, families=families, cluster=cluster, level=level),
        )
    yield from _each(
        "score per 1,000 characters",
        everybody,
        lambda: length_slope(cells, within=["model"], cluster=cluster, level=level),
    )


def _with_itself(planned: PlannedCells, repeats: Sequence[GradeCondition]) -> Iterator[Agreement]:
    """How alike the repeats of one judge are."""
    cells, of = planned.of_graders(repeats), repeats[0].label
    try:
        require_measurable(cells)
        found = self_agreement(
            cells,
            [one.label for one in repeats],
            cluster=planned.cluster,
            level=planned.level,
        )
    except MeasurementError as error:
        yield Agreement(figure=_ITSELF, of=of, why=str(error))
        return
    yield Agreement(figure=_ITSELF, of=of, estimate=found.alpha)
    same = f"same score in {found.n_repeats} repeats"
    yield Agreement(figure=same, of=of, estimate=found.same)


def _incomparable(chosen: Sequence[GradeCondition]) -> str | None:
    """Why the scores of graders mean different things; null where they do not."""
    if len(chosen) < 2:
        return "One grader has none to agree with."
    scales = {one.grader.scale for one in chosen}
    rubrics = {one.columns["rubric_hash"] for one in chosen}
    if len(scales) > 1 or (scales == {None} and len(rubrics) > 1):
        return (
            "These graders have no scale in common, so their scores cannot be compared: choose some"
            " with --grader, or declare graders.<name>.scale."
        )
    return None


def _of_matrix(matrix: "pd.DataFrame", everybody: str, level: float) -> Iterator[Agreement]:
    """`matrix`: judges x answers."""
    yield _one(
        "Krippendorff's alpha (interval)",
        everybody,
        lambda: krippendorff_alpha(matrix.to_numpy(), level="interval", confidence=level),
    )
    complete = matrix.T.dropna().to_numpy()
    for form in ("2,1", "2,k"):
        yield _one(
            f"ICC({form})",
            everybody,
            lambda form=form: intraclass_correlation(complete, form=form, level=level),
        )
    for a, b in combinations(matrix.index, 2):
        yield _kappa(matrix.loc[a].to_numpy(), matrix.loc[b].to_numpy(), f"{a}, {b}", level)


def _kappa(a: np.ndarray, b: np.ndarray, of: str, level: float) -> Agreement:
    """Without weights where scores are right or wrong, else with squared distances."""
    found = np.unique(np.concatenate([a, b]))
    categories = found[~np.isnan(found)]
    if len(categories) > MOST_CATEGORIES:
        why = f"{len(categories)} different scores are no categories: see alpha and ICC."
        return Agreement(figure="kappa", of=of, why=why)
    binary = len(categories) <= len("01")
    return _one(
        "kappa" if binary else "kappa (quadratic weights)",
        of,
        lambda: cohen_kappa(
            a.tolist(), b.tolist(), weights=None if binary else "quadratic", level=level
        ),
    )


def _one(figure: str, of: str, estimated: Callable[[], Estimate]) -> Agreement:
    try:
        return Agreement(figure=figure, of=of, estimate=estimated())
    except MeasurementError as error:
        return Agreement(figure=figure, of=of, why=str(error))


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


def _words(chosen: Sequence[GradeCondition], figures: Sequence[Agreement]) -> Iterator[str]:
    if not chosen:
        yield "The study has no judge: agreement is between graders. Name some with --grader."
    about: dict[str, list[str]] = {}
    for one in figures:
        for warning in one.estimate.warnings if one.estimate else ():
            about.setdefault(warning, []).append(f"{one.figure} of {one.of}")
    for warning, names in about.items():
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{warning} ({names[0]}{more})"


def _cold(repeated: Sequence[Sequence[GradeCondition]]) -> Iterator[str]:
    cold = [
        group[0].label
        for group in repeated
        if (call := group[0].grader.call) and call.settings.get("temperature") == 0
    ]
    if cold:
        yield (
            f"{', '.join(cold)}: asked at temperature 0, repeats show only what the provider varies"
            " by itself. A temperature above 0 shows how sure the judge is."
        )
