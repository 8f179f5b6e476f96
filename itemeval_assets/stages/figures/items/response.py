"""irt: the difficulty of items and the ability of conditions on one scale, by grader."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError, EnvironmentMissing
from itemeval_assets.host.installation import how_to_install
from itemeval_assets.measurement import MeasurementError, ResponseModel
from itemeval_assets.measurement import irt as fitted

from ..planned import PlannedCells
from ..scores.estimates import least_passing
from .item_answers import questions_of
from .matrix import matrix_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MODELS", "GraderResponses", "Model", "StudyResponses", "irt"]

Model = Literal["1pl", "2pl"]
MODELS: tuple[Model, ...] = ("1pl", "2pl")
_EXTRA = "mirt>=1.2"


@dataclass(frozen=True, kw_only=True)
class GraderResponses:
    """The response model of the scores of one grader; without items where `words` say why.

    `items` have difficulty, discrimination and easiness, `persons` (conditions) ability, all with
    standard errors. `passes`: the score from which on an answer is right.
    """

    graded_by: str
    scale: tuple[float, float] | None = None
    passes: float | None = None
    n_respondents: int = 0
    n_missing: int = 0
    log_likelihood: float | None = None
    ability_variance: float | None = None
    ability_variance_se: float | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyResponses:
    """The response models of a study, by grader."""

    study: str
    policy: str
    level: float
    model: Model
    by_grader: list[GraderResponses]
    notes: list[str] = field(default_factory=list)


def irt(
    planned: PlannedCells,
    graders: Collection[str],
    model: Model = "2pl",
    passes: float | None = None,
) -> StudyResponses:
    """Fit the one- or two-parameter logistic model to the scores of each grader.

    Raises EnvironmentMissing without the extra `irt`, and MeasurementError, which says why, where
    no grader allows it.
    """
    if model not in MODELS:
        raise ConfigError(f"model: there is no {model!r}; there are: {', '.join(MODELS)}")
    if find_spec("mirt") is None:
        raise EnvironmentMissing(
            "item response theory needs the package mirt, the extra irt of itemeval-assets; install"
            f" it with: {how_to_install(_EXTRA)}"
        )
    chosen = [one for one in planned.study.design.grade if one.id in graders]
    found = [_of(planned, one, model, passes) for one in chosen]
    if not any(one.items for one in found):
        raise MeasurementError(found[0].words[0] if found else "There is no grader.")
    return StudyResponses(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        model=model,
        by_grader=found,
    )


def _of(
    planned: PlannedCells, grader: GradeCondition, model: Model, passes: float | None
) -> GraderResponses:
    try:
        least = least_passing(grader.grader.scale, passes)
        answers = _of_first_asked(planned, matrix_of(planned, grader, least))
        found = fitted(answers, model=model)
    except MeasurementError as error:
        return GraderResponses(graded_by=grader.label, words=[str(error)])
    questions = questions_of(planned)
    return GraderResponses(
        graded_by=grader.label,
        scale=grader.grader.scale,
        passes=least,
        n_respondents=found.n_respondents,
        n_missing=found.n_missing,
        log_likelihood=found.log_likelihood,
        ability_variance=found.ability_variance,
        ability_variance_se=found.ability_variance_se,
        items=[{**row, "question": questions.get(row["item"])} for row in _records(found.items)],
        persons=_records(found.persons),
        words=list(_words(planned, answers, found)),
    )


def _of_first_asked(planned: PlannedCells, answers: "pd.DataFrame") -> "pd.DataFrame":
    """Without waves: a condition that is asked twice is not two respondents."""
    first = [one.label for one in planned.study.design.first_asked]
    return answers[answers.index.isin(first)].dropna(axis=1, how="all")


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Plain records, with null where there is no figure."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _words(planned: PlannedCells, answers: "pd.DataFrame", found: ResponseModel) -> Iterator[str]:
    replications = planned.replications
    if replications > 1:
        yield (
            f"Of {replications} replications the first one with a score counts: those of one"
            " condition are no independent respondents."
        )
    silent = len(planned.study.design.first_asked) - len(answers)
    if silent:
        yield f"{silent:,} condition{'' if silent == 1 else 's'} without a score: left out."
    if found.n_missing:
        share = found.n_missing / np.size(answers.to_numpy())
        missing = (
            f"{found.n_missing:,} answer{'' if found.n_missing == 1 else 's'} ({100 * share:.1f} %)"
        )
        yield f"{missing} without a score: taken as missing at random."
    yield from found.warnings
