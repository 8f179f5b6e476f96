"""Which partitions an automatic re-run asks for: those that want something, within reason.

A partition is asked for again after a growing while, and given up after so many attempts;
whatever makes it sound, a re-run or a person, begins its count anew.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from itemeval_assets.core.design.partitions import GRADE, STAGES, Partition
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.money.projection.estimate import NOTHING, Projection


class Attempts(NamedTuple):
    """How often a partition was asked for since it was last sound, and when last."""

    made: int
    last: datetime


class Decision(NamedTuple):
    """`chosen` partitions are asked for now; `left_out` says why another one is not.

    `given_up` are left for good, until somebody resets them; `refused` ones would be turned away
    by the gate, or cannot be called at all.
    """

    chosen: list[Partition]
    left_out: dict[Partition, str]
    given_up: list[Partition]
    refused: Sequence[Partition] = ()

    def in_words(self) -> str:
        """Why nothing is asked for, or what is left out."""
        if not self.chosen and not self.left_out:
            return "every partition is complete: nothing is errored or missing"
        return "; ".join(f"{'|'.join(part)}: {why}" for part, why in self.left_out.items())


def choose(
    wanting: Mapping[Partition, str],
    in_progress: Collection[Partition],
    attempts: Mapping[Partition, Attempts],
    now: datetime,
    *,
    max_attempts: int,
    retry_after: timedelta,
) -> Decision:
    """Choose among the partitions that are `wanting`: {partition: what it lacks}.

    The n-th attempt comes at the earliest `retry_after` x 2^(n-2) after the one before.
    Gradings wait for their solutions: what is generated now is graded afterwards.
    """
    chosen: list[Partition] = []
    left_out: dict[Partition, str] = {}
    given_up: list[Partition] = []
    for partition, lack in sorted(wanting.items(), key=lambda entry: STAGES.index(entry[0].stage)):
        tried = attempts.get(partition)
        if partition in in_progress:
            left_out[partition] = f"{lack}; a run is making its calls"
        elif partition.stage is GRADE and partition.solutions in in_progress:
            left_out[partition] = f"{lack}; a run is making its solutions"
        elif tried and tried.made >= max_attempts:
            left_out[partition] = f"{lack}; given up after {tried.made} attempts"
            given_up.append(partition)
        elif tried and now < (due := tried.last + retry_after * 2 ** (tried.made - 1)):
            left_out[partition] = f"{lack}; next attempt after {due:%Y-%m-%d %H:%M} UTC"
        elif partition.stage is GRADE and partition.solutions in chosen:
            left_out[partition] = f"{lack}; waits for its solutions"
        else:
            chosen.append(partition)
    return Decision(chosen, left_out, given_up)


def admit(
    decision: Decision,
    wanting: Mapping[Partition, str],
    projections: Mapping[Partition, Projection],
    unreachable: Mapping[Partition, str],
    allow: Callable[[Projection], None],
) -> Decision:
    """Leave out of the chosen partitions those that `allow`, which raises, would not let pass.

    One after the other, in their order: each must pass by itself, and together with those that
    passed before it. A dear one bars no cheap one behind it. `unreachable`: partitions whose
    model cannot be called, and why.
    """
    chosen: list[Partition] = []
    left_out = dict(decision.left_out)
    refused: list[Partition] = []
    total = NOTHING
    for partition in decision.chosen:
        projection = projections.get(partition, NOTHING)
        reason = unreachable.get(partition) or _refusal(allow, projection)
        if reason is None and (among := _refusal(allow, total + projection)):
            reason = f"together with the partitions chosen before it: {among}"
        if reason is None:
            total += projection
            chosen.append(partition)
        else:
            left_out[partition] = f"{wanting[partition]}; {reason}"
            refused.append(partition)
    return Decision(chosen, left_out, decision.given_up, refused)


def _refusal(allow: Callable[[Projection], None], projection: Projection) -> str | None:
    """What is wrong, in the first line of the message; None where nothing is."""
    try:
        allow(projection)
    except ItemevalAssetsError as refusal:
        return str(refusal).splitlines()[0]
    return None
