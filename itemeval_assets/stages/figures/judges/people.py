"""Judges against people: how often they agree, and the means that people would give."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.text.words import counted
from itemeval_assets.measurement import (
    Estimate,
    MeasurementError,
    cohen_kappa,
    mean_score,
    prediction_powered_mean,
)

from ..planned import PlannedCells

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AgainstPeople",
    "PairedScores",
    "against_people",
    "paired_scores",
    "said_of_people",
    "said_of_waves",
]

KAPPA, TRUE_POSITIVE, TRUE_NEGATIVE = "kappa", "true positive rate", "true negative rate"
RATER_MEAN, JUDGE_MEAN, CORRECTED = "mean by the rater", "mean by the judge", "corrected mean"
# Which answers pass by the rater, and which by the judge.
Passes = tuple[np.ndarray, np.ndarray]
_ANSWER = ["gen_condition_id", "item_id", "replication"]


@dataclass(frozen=True, kw_only=True)
class AgainstPeople:
    """One figure of a judge against a rater, on the answers of one model.

    `rated`: the answers that both have scored. Null where `why` says so.
    """

    figure: str
    judge: str
    rater: str
    model: str
    rated: int
    estimate: Estimate | None = None
    why: str | None = None

    @property
    def of(self) -> str:
        """Whom it is about."""
        return f"{self.judge} and {self.rater}, {self.model}"


@dataclass(frozen=True)
class PairedScores:
    """The answers of one model with a score of a judge.

    `scores`: gen_condition_id, item_id, replication, score, and label: null where the rater has
    given none.
    """

    model: str
    judge: GradeCondition
    rater: GradeCondition
    scores: "pd.DataFrame"

    @property
    def labelled(self) -> "pd.DataFrame":
        return self.scores[self.scores["label"].notna()]

    def by_item(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One value for each item: labels, the judge's scores of the same, and of other items.

        Answers to one item are not independent: of an item with labels, those answers count.
        """
        means = self.labelled.groupby("item_id")[["label", "score"]].mean()
        is_other = ~self.scores["item_id"].isin(means.index)
        others = self.scores[is_other].groupby("item_id")["score"].mean()
        return means["label"].to_numpy(), means["score"].to_numpy(), others.to_numpy()


def paired_scores(
    planned: PlannedCells, judge: GradeCondition, rater: GradeCondition
) -> Iterator[PairedScores]:
    """The scores of a judge beside those of a rater, model by model."""
    columns = [*_ANSWER, "model", *planned.own_columns, "score"]
    judged, rated = (
        planned.of_grader(one).select(columns).to_pandas().dropna(subset="score")
        for one in (judge, rater)
    )
    labels = rated.rename(columns={"score": "label"})[[*_ANSWER, "label"]]
    joined = judged.astype(dict.fromkeys(_ANSWER, "object")).merge(
        labels.astype(dict.fromkeys(_ANSWER, "object")), on=_ANSWER, how="left"
    )
    models = dict.fromkeys(one.model for one in planned.study.design.generate)
    for model in models:
        yield PairedScores(model, judge, rater, joined[joined["model"] == model])


def against_people(
    planned: PlannedCells, judges: Sequence[GradeCondition], raters: Sequence[GradeCondition]
) -> list[AgainstPeople]:
    """Each judge against each rater, model by model; nothing of a rater without ratings."""
    found: list[AgainstPeople] = []
    for rater in raters:
        for judge in judges:
            pairs = list(paired_scores(planned, judge, rater))
            if any(len(pair.labelled) for pair in pairs):
                found += [figure for pair in pairs for figure in _figures(planned, pair)]
    return found


def said_of_people(found: Sequence[AgainstPeople], cluster: str | None) -> Iterator[str]:
    """How to read the figures, where there are any. `cluster`: the column of clusters."""
    if not found:
        return
    if cluster:
        yield f"The corrected means take items for independent, whatever their {cluster}."
    yield (
        "Kappa and the two rates: a score passes from the middle of the scale of its grader on. The"
        " true positive rate is the share of the answers that pass by the rater which the judge"
        " lets pass, the true negative rate the share of the others which it does not."
    )
    yield (
        "The corrected mean is what the rater would give to all answers (PPI++): it needs ratings"
        " of answers drawn at random, as `ratings sheet` draws them. It is on the rater's scale."
    )


def said_of_waves(planned: PlannedCells, raters: Sequence[GradeCondition]) -> Iterator[str]:
    """How many ratings no figure has, since they are of answers of waves."""
    waves = [one.id for one in planned.study.design.generate if one.wave]
    for rater in raters if waves else []:
        scores = planned.of_grader(rater, waves)["score"]
        if n := len(scores) - scores.null_count:
            yield (
                f"{counted(n, 'rating')} by {rater.label} {'is' if n == 1 else 'are'} of answers of"
                " waves. No figure here has them: figures are of the answers of the first time."
            )


def _figures(planned: PlannedCells, pair: PairedScores) -> Iterator[AgainstPeople]:
    both = pair.labelled

    def figure(name: str, estimated: Callable[[], Estimate]) -> AgainstPeople:
        made = partial(
            AgainstPeople,
            figure=name,
            judge=pair.judge.label,
            rater=pair.rater.label,
            model=pair.model,
            rated=len(both),
        )
        try:
            return made(estimate=estimated())
        except MeasurementError as error:
            return made(why=str(error))

    passes = _passes(pair)
    yield figure(KAPPA, lambda: _kappa(planned, both, passes()))
    for name, wanted in ((TRUE_POSITIVE, True), (TRUE_NEGATIVE, False)):
        yield figure(name, lambda wanted=wanted: _rate(planned, both, passes(), wanted))
    yield figure(RATER_MEAN, lambda: _mean(planned, both, "label", pair.rater))
    yield figure(JUDGE_MEAN, lambda: _mean(planned, pair.scores, "score", pair.judge))
    yield figure(CORRECTED, lambda: prediction_powered_mean(*pair.by_item(), level=planned.level))


def _passes(pair: PairedScores) -> Callable[[], Passes]:
    """Which labels and which scores pass; asked for late, since a scale may be missing."""

    def passes() -> Passes:
        both = pair.labelled
        of_judge = _middle(pair.judge, pair.scores["score"])
        of_rater = _middle(pair.rater, both["label"])
        return (
            both["label"].to_numpy() >= of_rater,
            both["score"].to_numpy() >= of_judge,
        )

    return passes


def _middle(grader: GradeCondition, scores: "pd.Series") -> float:
    if scale := grader.grader.scale:
        return sum(scale) / 2
    if set(scores.unique()) <= {0.0, 1.0}:
        return 0.5
    raise MeasurementError(
        f"{grader.label} declares no scale, so nobody knows which scores pass: write it as"
        f" graders.{grader.grader.name}.scale."
    )


def _kappa(planned: PlannedCells, both: "pd.DataFrame", passes: Passes) -> Estimate:
    people, judge = (found.astype(float).tolist() for found in passes)
    cluster = both[planned.checked_cluster].tolist() if planned.checked_cluster else None
    items = both["item_id"].tolist()
    return cohen_kappa(people, judge, level=planned.level, item=items, cluster=cluster)


def _rate(
    planned: PlannedCells,
    both: "pd.DataFrame",
    passes: Passes,
    wanted: bool,
) -> Estimate:
    """The share of the answers that pass (or not) by the rater of which the judge says the same."""
    people, judge = passes
    chosen = both[people == wanted]
    if chosen.empty:
        which = "passes" if wanted else "fails"
        raise MeasurementError(f"No answer that both have scored {which} by the rater.")
    frame = chosen.assign(score=(judge == wanted)[people == wanted].astype(float))
    return _mean_of(planned, frame, "score", (0.0, 1.0))


def _mean(
    planned: PlannedCells, frame: "pd.DataFrame", score: str, grader: GradeCondition
) -> Estimate:
    return _mean_of(planned, frame, score, grader.grader.scale)


def _mean_of(
    planned: PlannedCells,
    frame: "pd.DataFrame",
    score: str,
    scale: tuple[float, float] | None,
) -> Estimate:
    cluster = planned.checked_cluster
    kept = dict.fromkeys(["item_id", *planned.own_columns], str)
    columns = frame[[*kept, score]].astype({**kept, score: float})
    return mean_score(columns, score=score, scale=scale, cluster=cluster, level=planned.level)
