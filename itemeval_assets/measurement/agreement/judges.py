"""Is a judge fair: severity, preference for its own family, and the length of answers.

All from cells that exist. These compare judges with each other; who is right, they do not tell.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..arguments import checked
from ..columns import GRADE_CONDITION, Frame, codes, counted, shortened
from ..events import Events, read_events
from ..intervals import checked_level
from ..records import Estimate, MeasurementError
from ..scores.means import estimate_means
from .ratings import ANSWER, read_ratings

__all__ = ["judge_severity", "self_preference"]

ALL = "all"


@checked
def judge_severity(
    frame: Frame,
    *,
    judge: str = GRADE_CONDITION,
    answer: Sequence[str] = ANSWER,
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> dict[Hashable, Estimate]:
    """How far each judge is below (severe) or above (lenient) the mean of all judges.

    On the answers that all judges scored: the mean over items of the judge's score less the mean
    of the judges on the same answer, with an error clustered as in `mean_score`.
    """
    checked_level(level)
    ratings = read_ratings(
        frame, judge=judge, answer=answer, score=score, item=item, cluster=cluster
    )
    complete = np.flatnonzero(~np.isnan(ratings.score).any(axis=0))
    if not len(complete):
        raise MeasurementError("No answer has a score of each judge: leave out some judges.")
    scores = ratings.score[:, complete]
    events = ratings.as_events(scores - scores.mean(axis=0), complete, ratings.judges)
    any_score = int((~np.isnan(ratings.score)).any(axis=0).sum())
    said = _said_of_left_out(any_score - len(complete), "answer", "a score of each judge")
    what = f"against the mean of {len(scores)} judges"
    found = estimate_means(events, scale=None, missing={}, level=level, are_scores=False)
    return {label: _told(one, what, said) for label, one in found.items()}


@checked
def self_preference(
    frame: Frame,
    *,
    families: Mapping[str, str] | None = None,
    judge: str = "grader_model",
    model: str = "model",
    score: str = "score",
    item: str = "item_id",
    cluster: str | None = None,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """By family: how much more its judges give to its own models than they would to others.

    The interaction of judge family and model family: least squares on the mean of each judge and
    model, on each item, of a level for each judge, one for each model, and a preference for each
    family with both. `all` is the preference that all families would share. A family's own figure
    is there only where it can be told apart: two judges and two models of two families allow but
    one figure for both. Only items that each judge scored of each model count; the error is
    clustered as in `mean_score`. The family of a model is what `families` says, or else its id up
    to the first slash. Rows without a judge are no part of it.
    """
    checked_level(level)
    judges, models = codes(frame, judge), codes(frame, model)
    rows = (judges.codes >= 0) & (models.codes >= 0)
    if not rows.any():
        raise MeasurementError("No row has both a judge and a model: there is no judge.")
    n_models = len(models)
    events = read_events(frame, score=score, item=item, cluster=cluster, pooled=True, rows=rows)
    pair = judges.codes[rows] * n_models + models.codes[rows]
    n, mean = _by_pair(events, pair, len(judges) * n_models)
    used = n.any(axis=1)
    complete = np.flatnonzero(n[used].all(axis=0))
    if not len(complete):
        raise MeasurementError("No item has a score of each judge on each model: leave some out.")
    left_out = int(n.any(axis=0).sum()) - len(complete)
    said = _said_of_left_out(left_out, "item", "each judge on each model")
    of_judge = np.array([_family(label, families) for label in judges.labels])
    of_model = np.array([_family(label, families) for label in models.labels])
    owners = np.repeat(of_judge, n_models)[used], np.tile(of_model, len(judges))[used]
    pairs = np.flatnonzero(used)
    weights = _weights(pairs // n_models, pairs % n_models, *owners)
    if not weights:
        raise MeasurementError(
            "Self-preference needs a family with judges and models, another judge and another"
            f" model. Judges: {shortened(sorted(set(of_judge)))}; models:"
            f" {shortened(sorted(set(of_model)))}. Say which id is of which family (families)."
        )
    contrasts = {name: row @ mean[used][:, complete] for name, row in weights.items()}
    stacked = replace(
        events,
        score=np.concatenate(list(contrasts.values())),
        item=np.tile(complete, len(contrasts)),
        group=np.repeat(np.arange(len(contrasts)), len(complete)),
        groups=list(contrasts),
    )
    found = estimate_means(stacked, scale=None, missing={}, level=level, are_scores=False)
    return {str(label): _told(one, "self-preference", said) for label, one in found.items()}


def _by_pair(events: Events, pair: np.ndarray, n_pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs x items: the number of scores, and their mean, NaN where there is none."""
    scored, n_items = ~np.isnan(events.score), len(events.items)
    place, size = pair[scored] * n_items + events.item[scored], n_pairs * n_items
    n = np.bincount(place, minlength=size).reshape(n_pairs, n_items)
    total = np.bincount(place, events.score[scored], size).reshape(n_pairs, n_items)
    with np.errstate(invalid="ignore"):
        return n, total / n


def _weights(
    judge: np.ndarray, model: np.ndarray, of_judge: np.ndarray, of_model: np.ndarray
) -> dict[str, np.ndarray]:
    """The weights of the pairs in the least-squares estimate of each preference that there is."""
    levels = [np.eye(int(codes.max()) + 1)[codes] for codes in (judge, model)]
    families = sorted(set(of_judge) & set(of_model))
    own = {family: (of_judge == family) & (of_model == family) for family in families}
    found = {}
    for chosen in ({ALL: (of_judge == of_model)}, own):
        design = np.column_stack([*levels, *(column.astype(float) for column in chosen.values())])
        inverse = np.linalg.pinv(design)
        for place, name in enumerate(chosen, start=design.shape[1] - len(chosen)):
            if np.isclose(inverse[place] @ design[:, place], 1):
                found[name] = inverse[place]
    return found


def _family(label: str, families: Mapping[str, str] | None) -> str:
    return (families or {}).get(label) or str(label).split("/", 1)[0]


def _said_of_left_out(count: int, word: str, what: str) -> list[str]:
    return [f"{counted(count, word)} without {what}: left out."] if count else []


def _told(found: Estimate, what: str, said: Sequence[str]) -> Estimate:
    return replace(found, method=f"{what}; {found.method}", warnings=(*said, *found.warnings))
