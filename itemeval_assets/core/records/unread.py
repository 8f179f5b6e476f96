"""Logs whose calls no row tells of: of stopped runs, and of rows that somebody has deleted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LISTED = 3
# By the command that reads them.
_WAITING = {
    "recover": "can be recovered",
    "preflight": "are recovered by the next preflight",
    None: "are of conditions that are no longer in the design, and are recovered if they return to "
    "it",
}


class UnreadLog(NamedTuple):
    """A log whose calls are not in the tables.

    `condition` is the label of its partition, where that is known. `reader`: the command that reads
    it; null: none, while the design has no such condition. `is_booked`: its calls are in the
    ledger, and their rows are gone. `usd` is null without a price. `problem`: why it cannot be
    read.
    """

    log_file: str
    condition: str = ""
    reader: str | None = "recover"
    calls: int = 0
    usd: float | None = None
    is_booked: bool = False
    problem: str | None = None


def unread_words(logs: Sequence[UnreadLog]) -> list[str]:
    """What waits to be read, and what cannot be: a sentence each."""
    return [*_stopped(logs), *_gone(logs), *_broken(logs)]


def can_be_recovered(logs: Sequence[UnreadLog]) -> bool:
    """Whether `recover` reads any of them."""
    return any(log.reader == "recover" for log in logs)


def _stopped(logs: Sequence[UnreadLog]) -> Iterator[str]:
    waiting = [log for log in logs if not log.is_booked and not log.problem]
    for reader, do in _WAITING.items():
        found = [log for log in waiting if log.reader == reader]
        if found:
            usd = sum(log.usd or 0.0 for log in found)
            is_priced = all(log.usd is not None for log in found)
            unpriced = "" if is_priced else ", and calls without a price"
            yield (
                f"logs of stopped runs {do}: {len(found)} with {sum(log.calls for log in found)} "
                f"calls, {usd:.6f} USD{unpriced}, which are in no table and not in the ledger"
            )


def _gone(logs: Sequence[UnreadLog]) -> Iterator[str]:
    found = [log for log in logs if log.is_booked and not log.problem]
    for log in found[:_LISTED]:
        yield f"rows of {log.condition} are gone from their table; {log.log_file} has them"
    if found[_LISTED:]:
        yield f"rows of {len(found) - _LISTED} more logs are gone, too"


def _broken(logs: Sequence[UnreadLog]) -> Iterator[str]:
    for log in logs:
        if log.problem:
            gone = f"rows of {log.condition} are gone from their table, and "
            yield f"{gone if log.is_booked else ''}{log.problem}"
