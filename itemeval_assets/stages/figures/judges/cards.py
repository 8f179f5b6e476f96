"""A card per judge: how it agrees, what may bend its scores, how often it fails, what it costs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import (
    MeasurementError,
    krippendorff_alpha,
    mean_score,
)

from ..planned import PlannedCells
from .agreed import (
    ITSELF,
    PREFERENCE,
    SAME,
    SEVERITY,
    SLOPE,
    Agreement,
    figure_of,
    said_of,
    shared_by,
)

__all__ = ["JudgeCard", "cards_of"]

OTHERS, FAILED = "alpha with the mean of the others", "failed parses"
_REPLIED = ("done", "unparsed")


@dataclass(frozen=True, kw_only=True)
class JudgeCard:
    """What is known of one judge.

    `replies` counts the cells in which it replied, `unparsed` those of them without a score. `usd`
    is what its replies cost, and null where a price is not known; those with criteria are paid
    once, with the total.
    """

    judge: str
    model: str
    level: float
    cluster: str | None
    scale: tuple[float, float] | None
    replies: int
    unparsed: int
    usd: float | None
    usd_per_reply: float | None
    figures: list[Agreement]
    words: list[str] = field(default_factory=list)


def cards_of(
    planned: PlannedCells,
    graders: Sequence[GradeCondition],
    cells: pa.Table,
    matrix: Callable[[], pd.DataFrame],
    figures: Sequence[Agreement],
) -> Iterator[JudgeCard]:
    """The card of each judge among graders of one scale. `figures` are those about all of them.

    `cells` have the costs of the gradings, and their logs where a judge grades after a scorer.
    `matrix`: judges x answers, of the same cells.
    """
    known = {(figure.figure, figure.of): figure for figure in figures}
    why = next((figure.why for figure in figures if figure.figure == "agreement"), None)
    for grader in graders:
        if (call := grader.grader.asked) is None:
            continue
        own = cells.filter(pc.equal(cells["grade_condition_id"], grader.label))  # type: ignore[attr-defined]
        replied = own.filter(pc.is_in(own["state"], value_set=pa.array(_REPLIED)))  # type: ignore[attr-defined]
        if grader.grader.after:
            replied = replied.filter(replied["grade_log_file"].is_valid())
        found = [
            _with_others(planned, grader.label, matrix, why),
            *_with_itself(grader.label, figures),
            *_shared(planned, grader, known, why),
            _failed(planned, grader.label, replied),
        ]
        usd = _usd(replied)
        yield JudgeCard(
            judge=grader.label,
            model=call.model,
            level=planned.level,
            cluster=planned.cluster,
            scale=grader.grader.scale,
            replies=replied.num_rows,
            unparsed=pc.sum(pc.equal(replied["state"], "unparsed")).as_py() or 0,  # type: ignore[attr-defined]
            usd=usd,
            usd_per_reply=None if usd is None else usd / replied.num_rows,
            figures=found,
            words=list(said_of(found)),
        )


def _with_others(
    planned: PlannedCells, label: str, of_all: Callable[[], pd.DataFrame], why: str | None
) -> Agreement:
    """Agreement of two raters: the judge, and the mean of the others on the same answers."""
    if why:
        return Agreement(figure=OTHERS, of=label, why=why)

    def estimated():
        matrix = of_all()
        if label not in matrix.index:
            raise MeasurementError(f"{label!r} has no score.")
        others = matrix.drop(index=label).to_numpy()
        n = np.maximum((~np.isnan(others)).sum(axis=0), 1)
        mean = np.where(np.isnan(others).all(axis=0), np.nan, np.nansum(others, axis=0) / n)
        pair = np.vstack([matrix.loc[label].to_numpy(), mean])
        shared = shared_by(planned, matrix.columns)
        return krippendorff_alpha(pair, level="interval", confidence=planned.level, **shared)

    return figure_of(OTHERS, label, estimated)


def _with_itself(label: str, figures: Sequence[Agreement]) -> list[Agreement]:
    once = Agreement(figure=ITSELF, of=label, why="It was asked once of each answer.")
    return [
        figure
        for figure in figures
        if figure.of == label and (figure.figure == ITSELF or figure.figure.startswith(SAME))
    ] or [once]


def _shared(
    planned: PlannedCells,
    grader: GradeCondition,
    known: Mapping[tuple[str, str], Agreement],
    why: str | None,
) -> Iterator[Agreement]:
    """Those of the figures about all judges that are about this one."""
    families = planned.study.config.measurement.families

    def family_of(model: str) -> str:
        return families.get(model) or model.split("/", 1)[0]

    def found_of(figure: str, *names: str) -> Agreement:
        found = next((known[figure, name] for name in names if (figure, name) in known), None)
        failed = (one.why for (name, _), one in known.items() if name == figure and one.why)
        absent = next(failed, why or "It has no score.")
        return found or Agreement(figure=figure, of=names[0], why=absent)

    yield found_of(SEVERITY, grader.label)
    family = family_of(str(grader.columns["grader_model"]))
    if family in {family_of(one.model) for one in planned.study.design.generate}:
        yield found_of(PREFERENCE, family, "all")
    else:
        absent = f"No model of its family, {family}, answers."
        yield Agreement(figure=PREFERENCE, of=family, why=absent)
    yield found_of(SLOPE, grader.label)


def _failed(planned: PlannedCells, label: str, replied: pa.Table) -> Agreement:
    """The share of replies without a score, on other items like these."""
    failed = pc.equal(replied["state"], "unparsed").cast("float64")  # type: ignore[attr-defined]
    place = replied.column_names.index("score")
    rows = replied.set_column(place, "score", failed)
    return figure_of(
        FAILED,
        label,
        lambda: mean_score(
            rows, cluster=planned.checked_cluster, scale=(0, 1), level=planned.level
        ),
    )


def _usd(replied: pa.Table) -> float | None:
    """Null without a reply, and where a price is not known."""
    known = replied["grade_usd"].null_count == 0 and replied.num_rows > 0
    return float(pc.sum(replied["grade_usd"]).as_py()) if known else None  # type: ignore[attr-defined]
