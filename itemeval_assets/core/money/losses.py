"""Losses: paid calls that the bookings have, and that neither a row nor a log tells of any more.

Somebody has deleted a log and rows that were made from it. What was paid stays in the ledger. Once
the loss is accepted, a row of `replaced` stands for it, so that ledger and rows agree again.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import TOKEN_COLUMNS

# No item, and perhaps no log: nobody knows the calls one by one.
LOST = "(lost)"
_ACCEPTED = "accepted-loss"


class Loss(NamedTuple):
    """What one run has paid for in one partition, beyond all that is left of it.

    `condition` is the label of the partition. `usd` and tokens are null where the bookings have
    none.
    """

    run_id: str
    stage: str
    partition: Partition
    condition: str
    calls: int
    usd: float | None
    tokens: dict[str, int | None]


def calls_of(sample_uuid: str) -> int:
    """How many calls an event stands for."""
    return int(sample_uuid.split(":")[1]) if is_accepted(sample_uuid) else 1


def is_accepted(sample_uuid: str | None) -> bool:
    """Whether a row of `replaced` stands for an accepted loss."""
    return sample_uuid is not None and sample_uuid.startswith(f"{_ACCEPTED}:")


def accepted_row(loss: Loss, log_file: str, created_at: str, mark: str) -> dict[str, Any]:
    """The row of `replaced` that stands for a loss from now on.

    A run can lose calls of a partition more than once: `mark` tells one loss from the next.
    """
    return {
        **loss.partition.columns,
        "sample_uuid": f"{_ACCEPTED}:{loss.calls}:{loss.run_id}:{mark}",
        "run_id": loss.run_id,
        "item_id": LOST,
        "epoch": 1,
        **{name: loss.tokens[name] for name in TOKEN_COLUMNS},
        "usd": loss.usd,
        "log_file": log_file,
        "created_at": created_at,
    }


def losses_words(losses: Sequence[Loss]) -> str:
    """What is lost, a line for each run and partition."""
    return "\n".join(f"  {line}" for line in _lines(losses))


def _lines(losses: Iterable[Loss]) -> Iterable[str]:
    for loss in losses:
        usd = "no price" if loss.usd is None else f"{loss.usd:.6f} USD"
        tokens = loss.tokens["total_tokens"] or 0
        yield (
            f"run {loss.run_id}, {loss.stage}, {loss.condition}: "
            f"{loss.calls} calls, {usd}, {tokens} tokens"
        )
