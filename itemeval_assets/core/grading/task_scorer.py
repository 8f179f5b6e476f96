"""The scorers of a task of inspect_ai: they score a sample in the eval that answers it."""

from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.labels import Part

from .grader import Grader


def task_scorers(lock: TaskLock) -> list[Grader]:
    """A grader for each score of a task. What they cost stands with the solutions."""
    task = TaskRef(lock.task, lock.args)
    return [_scorer(score, task) for score in lock.all_scores]


def _scorer(score: ScoreName, task: TaskRef) -> Grader:
    return Grader(
        kind="verifiable",
        name=score.full,
        slug_parts=["scorer", score.full],
        payload={"scorer": score.full, "task": task.payload},
        columns={"scorer_name": score.full},
        label_parts=(Part(score.full, score.full),),
        scale=(0.0, 1.0) if score.is_share else None,
        in_log=score,
    )
