"""The scores that a task gave its samples, as verdicts."""

from collections.abc import Mapping

from inspect_ai.log import EvalLog
from inspect_ai.scorer import Score

from itemeval_assets.core.grading.code import NO_SUCH_VALUE, NOT_SCORED
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.tasks.lock import ScoreName
from itemeval_assets.engine.scorers.results import result_of

from ..score_names import score_names

# By the uuid of a sample, then by the name of a scorer.
Scores = Mapping[str, Mapping[str, Score]]


def scores_in(log: EvalLog) -> dict[str, dict[str, Score]]:
    """The scores of all samples of a log, without explanations that only repeat the answer."""
    return {
        str(sample.uuid): {
            name: score.model_copy(update={"explanation": None})
            if score.explanation == sample.output.completion
            else score
            for name, score in (sample.scores or {}).items()
        }
        for sample in log.samples or []
    }


def names_in(log: EvalLog) -> set[ScoreName]:
    """The scores that samples of a log have: of a scorer of several values, each value."""
    found = set()
    for sample in log.samples or []:
        for name, score in (sample.scores or {}).items():
            keys = list(score.value) if isinstance(score.value, Mapping) else [None]
            found.update(ScoreName(name, key) for key in keys)
    return found


def names_declared(log: EvalLog) -> list[ScoreName]:
    """The scores that the header of a log says the task has, in their order."""
    scorers = ((one.name.rpartition("/")[2], one.metrics) for one in log.eval.scorers or [])
    return [*score_names(scorers, lambda metric: getattr(metric, "name", None))]


def verdict_of(scores: Mapping[str, Score] | None, name: ScoreName) -> Verdict:
    """What a scorer said of a sample; C, I, P and N are 1, 0, 0.5 and 0.

    Codes: `not_scored`, `no_such_value`, `scorer_not_numeric`, `scorer_not_finite`.
    """
    score = (scores or {}).get(name.scorer)
    if score is None:
        return Verdict.failed(NOT_SCORED)
    value = score.value
    if name.key is not None:
        if not isinstance(value, Mapping) or name.key not in value:
            return Verdict.failed(NO_SUCH_VALUE, repr(value), score.explanation)
        value = value[name.key]
    if value is None:
        return Verdict.failed(NO_SUCH_VALUE, "None", score.explanation)
    found = result_of(Score(value=value, explanation=score.explanation))
    if found.score is None:
        return Verdict.failed(found.code or NOT_SCORED, found.raw, found.told)
    return Verdict.scored(found.score, found.raw or "", score.explanation)
