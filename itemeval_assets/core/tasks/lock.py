"""What only loading a task tells, as `task_lock.json` keeps it.

Definitions read it: they load without inspect_ai, and run no code of the task.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from itemeval_assets.core.text.typed import of_types

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

    @property
    def words(self) -> str:
        """As messages tell it."""
        scorer = f"the scorer {self.scorer!r}"
        return scorer if self.key is None else f"the value {self.key!r} of {scorer}"


@dataclass(frozen=True)
class TaskLock:
    """A task as it was when it was loaded.

    `scores` in the order of its scorers, `learned` those that only its logs told. `metadata`: the
    keys that its samples have. `limits` of a sample, as inspect_ai names them. `calls`: how many
    calls of models a sample takes, where its solver tells. `source`: the start of the hash of its
    file; empty for a task of a package. `packages`: their versions. `changed`: what was another one
    when it was loaded before. `former`: [task, arguments, scores] of what logs told of other ones.
    `twins`: which scores have one name, of which the second is left out. `from_logs`: its code was
    not here, and its logs told all of this.
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
    former: tuple[tuple[str, Mapping[str, Any], tuple[ScoreName, ...]], ...] = ()
    twins: str = ""
    from_logs: bool = False

    @property
    def all_scores(self) -> tuple[ScoreName, ...]:
        """Those that the task declares, then those that its logs told besides."""
        return (*self.scores, *(one for one in self.learned if one not in self.scores))

    def with_learned(self, names: Iterable[ScoreName]) -> "TaskLock":
        """The lock with scores that a log told of; without one that has the name of another."""
        found = self
        for name in sorted({*names} - {*self.all_scores}, key=lambda name: name.full):
            if told := twins((*found.all_scores, name)):
                found = replace(found, twins=told)
            else:
                found = replace(found, learned=(*found.learned, name))
        return found

    def is_of(self, task: TaskRef) -> bool:
        """Whether it tells of this task with these arguments."""
        return (self.task, dict(self.args)) == (task.word, dict(task.args))

    def after(self, before: "TaskLock | None") -> "TaskLock":
        """This lock in the place of an older one; the same one where nothing has changed.

        What logs told of other arguments is kept: they may come back.
        """
        if before is None:
            return self
        if (before.task, before.args) != (self.task, self.args):
            told = [*before.former, (before.task, before.args, before.learned)]
            own = [names for task, args, names in told if (task, args) == (self.task, self.args)]
            others = (one for one in told if one[:2] != (self.task, self.args) and one[2])
            learned = tuple(name for names in own for name in names)
            return replace(self, learned=learned, former=tuple(others))
        now = replace(self, learned=before.learned, former=before.former, twins=before.twins)
        if before.from_logs:
            # Logs tell neither its file nor its packages.
            learned = (one for one in before.all_scores if one not in self.scores)
            return replace(now, learned=tuple(learned))
        if before == replace(now, resolved_at=before.resolved_at, changed=before.changed):
            return before
        return replace(now, changed=tuple(_changes(before, self)) or before.changed)

    def to_document(self) -> dict[str, Any]:
        """The lock as JSON holds it."""
        former = [[task, args, _as_lists(names)] for task, args, names in self.former]
        lists = {"scores": _as_lists(self.scores), "learned": _as_lists(self.learned)}
        found = {**asdict(self), **lists, "former": former}
        # Seals hold the hash of it: a task that loads has the same one as before.
        return found if self.from_logs else _without(found, "from_logs")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "TaskLock":
        """What `to_document` gave. Raises ValueError for anything else."""
        known = {one.name for one in fields(cls)}
        try:
            found = {name: value for name, value in document.items() if name in known}
            names = {
                "scores": _from_lists(found.pop("scores")),
                "learned": _from_lists(found.pop("learned", ())),
            }
            former = tuple(
                (str(task), dict(args), _from_lists(learned))
                for task, args, learned in found.pop("former", ())
            )
            tuples = {name: tuple(found.pop(name, ())) for name in ("metadata", "changed")}
            lock = cls(former=former, **names, **tuples, **found)
            of_types(cls, asdict(lock))
            return lock
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(str(error)) from error


def twins(names: Iterable[ScoreName]) -> str | None:
    """Which two scores have one name in the study, and what to do; null: each has its own."""
    first: dict[str, ScoreName] = {}
    for name in names:
        if (other := first.setdefault(name.full, name)) != name:
            return (
                f"{other.words} and {name.words} are both named {name.full!r} in a study; rename "
                "one of them in the task"
            )
    return None


def _without(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def _as_lists(names: Iterable[ScoreName]) -> list[list[Any]]:
    return [[one.scorer, one.key, one.is_share] for one in names]


def _from_lists(lists: Iterable[Any]) -> tuple[ScoreName, ...]:
    return tuple(ScoreName(str(scorer), key, bool(share)) for scorer, key, share in lists)


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
