"""How many calls a sample of a task is taken to make, before it is made."""

from collections.abc import Iterable, Iterator

from itemeval_assets.core.tasks.lock import TaskLock

from .estimate import SampleCalls

# What is assumed of a sample of which nothing tells.
CALLS_ASSUMED = 10
# How much dearer than the dearest stored sample another one is taken to be at most.
_MORE_THAN_OBSERVED = 2
_FEWEST_OBSERVED = 5


def calls_of_sample(lock: TaskLock, total_tokens: Iterable[int | None]) -> SampleCalls:
    """The calls and tokens of a sample at most; `total_tokens` are those of stored samples.

    The task's own limits come first, then what was observed, then an assumption, which the
    allowance of a run keeps true.
    """
    if lock.calls is not None:
        return SampleCalls(max(lock.calls, 1), None)
    given = [lock.limits[name] for name in ("message_limit", "turn_limit") if name in lock.limits]
    calls = int(min(given)) if given else CALLS_ASSUMED
    seen = sorted(tokens for tokens in total_tokens if tokens)
    tokens = [_MORE_THAN_OBSERVED * seen[-1]] if len(seen) >= _FEWEST_OBSERVED else []
    if "token_limit" in lock.limits:
        tokens.append(int(lock.limits["token_limit"]))
    return SampleCalls(max(calls, 1), min(tokens, default=None))


def words_on_samples(lock: TaskLock) -> Iterator[str]:
    """What the ceiling of a task rests on, in words."""
    if lock.calls is not None:
        return
    limits = [
        f"{name} = {lock.limits[name]:g}"
        for name in ("message_limit", "turn_limit", "token_limit", "cost_limit")
        if name in lock.limits
    ]
    basis = f"its limits ({', '.join(limits)})" if limits else f"{CALLS_ASSUMED} calls"
    yield (
        f"how many calls a sample of {lock.task} makes, to which models, is known only when it is "
        f"made: the ceiling takes {basis} for each, or twice the tokens of the dearest of "
        f"{_FEWEST_OBSERVED} or more stored samples where that is less, at the price of the "
        "solver's model. A sample that needs more takes it from what others leave, and is cut off "
        "where nothing is left. Here a call is a sample"
    )
