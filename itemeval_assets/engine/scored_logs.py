"""Scores written into copies of logs, so that inspect's own viewer shows them and sorts by them."""

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from inspect_ai.log import EvalMetric, EvalResults, EvalSample, EvalScore
from inspect_ai.scorer import Score

from itemeval_assets.core.design.cells.pending import Cell

from .calls.tasks import cell_of
from .logs.broken import write_log
from .logs.reading import read_log, read_log_header
from .tasks.logs.rows import cell_of_sample
from .tasks.logs.usage import is_of_task

# By the name of a grader; null where a sample has no grading of it.
Gradings = Mapping[str, Mapping[str, Any]]
# In the metadata of a copy.
_MARK = "scores_sha256"


def write_scored(source: Path, gradings: Mapping[Cell, Gradings], mark: str, target: Path) -> None:
    """Write a copy of a log whose samples have these gradings as scores.

    Each grading reads score, parse_error, score_raw, reasoning, judge_completion, grade_log_file
    and grade_usd. One without a score is `unscored`, as inspect calls it, with the reason.
    `mark` says which scores they are: see `mark_of`. Raises StoreError for an unreadable log.
    """
    log = read_log(source)
    cell_in = cell_of_sample if is_of_task(log) else cell_of
    for sample in log.samples or []:
        found = gradings.get(cell_in(sample), {})
        text = sample.output.completion
        sample.scores = {name: _score(grading, text) for name, grading in found.items()} or None
    log.results = _results(log.samples or [])
    log.eval.metadata = {**(log.eval.metadata or {}), _MARK: mark}
    write_log(log, target)


def mark_of(copy: Path) -> str | None:
    """Which scores a copy has."""
    return (read_log_header(copy).eval.metadata or {}).get(_MARK)


def _score(grading: Mapping[str, Any], answer: str) -> Score:
    """`answer`: what inspect shows beside the score in its list of samples."""
    told = grading["reasoning"] or grading["judge_completion"]
    facts = {
        name: grading[name]
        for name in ("score_raw", "grade_usd", "grade_log_file")
        if grading[name] is not None
    }
    if grading["score"] is None:
        return Score.unscored(
            reason=grading["parse_error"], answer=answer, explanation=told, metadata=facts
        )
    return Score(value=grading["score"], answer=answer, explanation=told, metadata=facts)


def _results(samples: list[EvalSample]) -> EvalResults:
    """The header: of each grader the mean of the scores in this log."""
    values: dict[str, list[float]] = {}
    for sample in samples:
        for name, score in (sample.scores or {}).items():
            values.setdefault(name, []).append(score.as_float())
    return EvalResults(
        total_samples=len(samples),
        completed_samples=sum(sample.error is None for sample in samples),
        scores=[_summary(name, scores) for name, scores in values.items()],
    )


def _summary(name: str, values: list[float]) -> EvalScore:
    scores = [value for value in values if not math.isnan(value)]
    return EvalScore(
        name=name,
        scorer=name,
        scored_samples=len(scores),
        unscored_samples=len(values) - len(scores),
        metrics={"mean": EvalMetric(name="mean", value=fmean(scores))} if scores else {},
    )
