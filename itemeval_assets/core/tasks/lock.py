"""What only loading a task tells, as `task_lock.json` keeps it.

Definitions read it: they load without inspect_ai, and run no code of the task.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from .reference import TaskRef


@dataclass(frozen=True)
class ScoreName:
    """One score of a task: that of a scorer, or one of the values of a scorer that has several.

    `is_share`: the task sums it up as accuracy, and so it lies between 0 and 1.
    """

    scorer: str
    key: str | None = None
    is_share: bool = field(default=False, compare=False)

    @property
    def full(self) -> str:
        """As inspect_ai names it."""
        return self.scorer if self.key is None else f"{self.scorer}.{self.key}"


@dataclass(frozen=True)
class TaskLock:
    """A task as it was when it was loaded.

    `scores` in the order of its scorers, `learned` those that only its logs told. `metadata`: the
    keys that its samples have. `limits` of a sample, as inspect_ai names them. `calls`: how many
    calls of models a sample takes, where its solver tells. `source`: the start of the hash of its
    file; empty for a task of a package. `packages`: their versions. `changed`: what was another one
    when it was loaded before.
    """

    task: str
    args: Mapping[str, Any]
    scores: tuple[ScoreName, ...]
    items: int
    resolved_at: str
    metadata: tuple[str, ...] = ()
    version: str = "0"
    epochs: int | None = None
    sandbox: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    calls: int | None = None
    source: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    learned: tuple[ScoreName, ...] = ()

    @property
    def all_scores(self) -> tuple[ScoreName, ...]:
        """Those that the task declares, then those that its logs told besides."""
        return (*self.scores, *(one for one in self.learned if one not in self.scores))

    def with_learned(self, names: Iterable[ScoreName]) -> "TaskLock":
        """The lock with scores that a log told of."""
        new = sorted({*names} - {*self.all_scores}, key=lambda name: name.full)
        return replace(self, learned=(*self.learned, *new)) if new else self

    def is_of(self, task: TaskRef) -> bool:
        """Whether it tells of this task with these arguments."""
        return (self.task, dict(self.args)) == (task.word, dict(task.args))

    def after(self, before: "TaskLock | None") -> "TaskLock":
        """This lock in the place of an older one; the same one where nothing has changed."""
        if before is None or (before.task, before.args) != (self.task, self.args):
            return self
        now = replace(self, learned=before.learned)
        if before == replace(now, resolved_at=before.resolved_at, changed=before.changed):
            return before
        return replace(now, changed=tuple(_changes(before, self)) or before.changed)

    def to_document(self) -> dict[str, Any]:
        """The lock as JSON holds it."""
        names = {"scores": self.scores, "learned": self.learned}
        lists = {
            name: [[one.scorer, one.key, one.is_share] for one in scores]
            for name, scores in names.items()
        }
        return {**asdict(self), **lists}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "TaskLock":
        """What `to_document` gave. Raises ValueError for anything else."""
        known = {one.name for one in fields(cls)}
        try:
            found = {name: value for name, value in document.items() if name in known}
            scores, learned = (
                tuple(ScoreName(str(scorer), key, bool(share)) for scorer, key, share in names)
                for names in (found.pop("scores"), found.pop("learned", ()))
            )
            tuples = {name: tuple(found.pop(name, ())) for name in ("metadata", "changed")}
            return cls(scores=scores, learned=learned, **tuples, **found)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(str(error)) from error


def _changes(before: TaskLock, now: TaskLock) -> list[str]:
    """What of a task is another one, in words."""
    found = []
    if before.source != now.source:
        found.append(f"its file ({before.source} then, {now.source} now)")
    if before.version != now.version:
        found.append(f"its version ({before.version} then, {now.version} now)")
    for name in sorted({*before.packages, *now.packages}):
        then, present = before.packages.get(name, "none"), now.packages.get(name, "none")
        if then != present:
            found.append(f"{name} ({then} then, {present} now)")
    return found
