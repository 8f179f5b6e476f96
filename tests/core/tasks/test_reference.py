"""How a task is named, and what of it enters ids."""

import pytest

from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef


@pytest.mark.parametrize(
    ("word", "file", "name", "short"),
    [
        ("inspect_evals/gpqa_diamond", None, "inspect_evals/gpqa_diamond", "gpqa_diamond"),
        ("tasks.py@sums", "tasks.py", "sums", "sums"),
        ("tasks.py", "tasks.py", None, "tasks"),
        ("../more/my tasks.py@a", "../more/my tasks.py", "a", "a"),
        ("more/tasks.py", "more/tasks.py", None, "tasks"),
    ],
)
def test_parts_of_a_name(word: str, file: str | None, name: str | None, short: str) -> None:
    found = TaskRef(word)
    assert (found.file, found.name, found.short) == (file, name, short)
    assert found.payload == {"name": word, "args": {}}


def test_the_template_of_a_task_tells_its_arguments_and_no_folder() -> None:
    one = TaskRef("tasks.py@a", {"n": 1}).as_template("/home/x/tasks.py")
    assert (one.name, one.path) == ("tasks.py@a", "/home/x/tasks.py")
    assert one.hash == TaskRef("tasks.py@a", {"n": 1}).as_template("/elsewhere/tasks.py").hash
    assert one.hash != TaskRef("tasks.py@a", {"n": 2}).as_template("").hash


LOCK = TaskLock(
    "tasks.py@a",
    {"n": [1]},
    (ScoreName("match"), ScoreName("checked", "right", True)),
    4,
    "2026-01-01T00:00:00Z",
    metadata=("topic",),
    limits={"message_limit": 10},
    source="aaaa",
    packages={"inspect_ai": "1"},
)


def test_a_lock_survives_its_document() -> None:
    assert TaskLock.from_document(LOCK.to_document()) == LOCK
    edited = [
        {**LOCK.to_document(), **change}
        for change in ({"scores": [["a", None]]}, {"items": "4"}, {"source": 1}, {"packages": [1]})
    ]
    for damaged in ({}, {"scores": 1}, *edited):
        with pytest.raises(ValueError):
            TaskLock.from_document(damaged)


def test_what_logs_told_stays_in_a_lock() -> None:
    told = LOCK.with_learned([ScoreName("wild", "b"), ScoreName("match"), ScoreName("wild", "a")])
    assert [one.full for one in told.all_scores] == ["match", "checked.right", "wild.a", "wild.b"]
    assert LOCK.after(told) == told == TaskLock.from_document(told.to_document())
    assert told.with_learned([ScoreName("wild", "a")]) is told


def test_a_lock_is_renewed_only_for_news_and_says_what_they_are() -> None:
    later = TaskLock.from_document({**LOCK.to_document(), "resolved_at": "2027-01-01T00:00:00Z"})
    assert later.after(LOCK) == LOCK
    changed = TaskLock.from_document({**later.to_document(), "source": "bbbb"}).after(LOCK)
    assert changed.changed == ("its file (aaaa then, bbbb now)",)
    assert changed.after(changed) == changed
    other = TaskLock.from_document({**later.to_document(), "args": {"n": 2}, "source": "c"})
    assert other.after(LOCK).changed == ()
    assert other.is_of(TaskRef("tasks.py@a", {"n": 2})) and not LOCK.is_of(TaskRef("tasks.py@a"))
