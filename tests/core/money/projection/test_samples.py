"""What a sample of a task is taken to call at most."""

import numpy as np
import pytest

from itemeval_assets.core.money.projection.estimate import ONE_CALL, SampleCalls
from itemeval_assets.core.money.projection.samples import calls_of_sample, words_on_samples
from itemeval_assets.core.tasks.lock import TaskLock


def lock(calls: int | None = None, **limits: float) -> TaskLock:
    return TaskLock("t.py", {}, (), 1, "2026-01-01T00:00:00Z", limits=limits, calls=calls)


@pytest.mark.parametrize(
    ("task", "stored", "found"),
    [
        (lock(), [], (10, None)),
        (lock(calls=1), [500] * 9, (1, None)),
        (lock(calls=0), [], (1, None)),
        (lock(message_limit=4), [], (4, None)),
        (lock(message_limit=4, turn_limit=2, time_limit=1), [], (2, None)),
        (lock(token_limit=1000), [], (10, 1000)),
        (lock(token_limit=1000), [1, 2, 3, 4, 300], (10, 600)),
        (lock(), [1, None, 0, 3, 300], (10, None)),
    ],
)
def test_limits_then_what_was_seen_then_an_assumption(
    task: TaskLock, stored: list[int | None], found: tuple[int, int | None]
) -> None:
    assert calls_of_sample(task, stored) == SampleCalls(*found)


def test_each_call_reads_what_was_said_before() -> None:
    assert (ONE_CALL.most_input(50, 100), ONE_CALL.most_output(100)) == (50, 100)
    three = SampleCalls(3)
    # The prompt three times, and one and two answers before the later calls.
    assert (three.most_input(50, 100), three.most_output(100)) == (3 * 50 + 300, 300)
    prompts = np.array([50, 500])
    assert three.most_input(prompts, 100).tolist() == [450, 1800]


def test_a_limit_of_tokens_is_one_of_both_together() -> None:
    limited = SampleCalls(3, 500)
    assert (limited.most_output(100), limited.most_input(50, 100)) == (300, 200)
    assert limited.most_input(np.array([1, 50]), 100).tolist() == [200, 200]
    assert SampleCalls(3, 200).most_input(50, 100) == 0


def test_what_the_ceiling_rests_on_is_told_unless_the_calls_are_known() -> None:
    assert list(words_on_samples(lock(calls=1))) == []
    assert "its limits (message_limit = 4)" in next(words_on_samples(lock(message_limit=4)))
    assert "takes 10 calls" in next(words_on_samples(lock()))
