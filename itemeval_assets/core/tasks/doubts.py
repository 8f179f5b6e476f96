"""What a study says of its task before it pays for it."""

from collections.abc import Iterator

from .lock import TaskLock


def doubts_of_task(lock: TaskLock, replications: int) -> Iterator[str]:
    """What is otherwise than the task says, and what has changed since."""
    if lock.epochs not in (None, replications):
        yield (
            f"{lock.task} says epochs = {lock.epochs}; facets.replications = {replications} holds "
            "in its place"
        )
    yield from changes_of_task(lock)


def changes_of_task(lock: TaskLock) -> Iterator[str]:
    """What has changed since a task was loaded before, and which score is left out."""
    if lock.twins:
        yield f"{lock.task}: {lock.twins}. Only the first one is graded"
    if lock.changed:
        yield (
            f"{lock.task} has changed: {', '.join(lock.changed)}. Stored solutions are of the task "
            "as it was; run with --force to make them anew"
        )
