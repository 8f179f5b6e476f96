"""Paid calls by condition: what one costs and takes. Reads rows of `gradings_long`."""

import statistics
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["PaidCalls", "generation_calls", "grading_calls"]

Row = Mapping[str, Any]
Label = Callable[[Row], str]
FiveNumbers = tuple[float, float, float, float, float]


class PaidCalls(NamedTuple):
    """Paid calls of one condition; what the response cache answered, or failed, is none.

    `usd_per_call`: mean over the calls with a known price; null: there is none. `latency_s`:
    lowest, quartiles and highest; null: no call was made singly. `unpriced`: calls whose price is
    not known, of an unpriced model or by a reply that told no usage.
    """

    calls: int
    usd_per_call: float | None
    latency_s: FiveNumbers | None
    unpriced: int = 0


def generation_calls(
    rows: Iterable[Row], label: Label, batched: Container[str]
) -> dict[str, PaidCalls]:
    """The calls behind the solutions that were graded: one each, however many judges read it.

    `batched`: log files of batches, whose latency says nothing of a call.
    """
    key = ("gen_condition_id", "item_id", "replication")
    solutions = {tuple(row[name] for name in key): row for row in rows}
    return _calls(solutions.values(), label, batched, "gen")


def grading_calls(
    rows: Iterable[Row], label: Label, batched: Container[str]
) -> dict[str, PaidCalls]:
    """The calls of judges; scorers make none. `batched` as in `generation_calls`."""
    answered = (row for row in rows if row["parse_ok"] or row["parse_error"] is not None)
    return _calls(answered, label, batched, "grade")


def _calls(
    rows: Iterable[Row], label: Label, batched: Container[str], stage: str
) -> dict[str, PaidCalls]:
    paid: dict[str, list[Row]] = {}
    for row in rows:
        # What the response cache answered has no tokens either, and usd 0.0; what is gone, no log.
        is_unmetered = row[f"{stage}_usd"] is None and row[f"{stage}_log_file"] is not None
        if is_unmetered or row[f"{stage}_input_tokens"] is not None:
            paid.setdefault(label(row), []).append(row)
    found = {}
    for name, calls in paid.items():
        usd = [row[f"{stage}_usd"] for row in calls if row[f"{stage}_usd"] is not None]
        single = [row for row in calls if row[f"{stage}_log_file"] not in batched]
        seconds = [row[f"{stage}_latency_s"] for row in single]
        found[name] = PaidCalls(
            len(calls),
            sum(usd) / len(usd) if usd else None,
            _five_numbers([second for second in seconds if second is not None]),
            len(calls) - len(usd),
        )
    return found


def _five_numbers(values: list[float]) -> FiveNumbers | None:
    if not values:
        return None
    low, middle, high = statistics.quantiles(
        values * 2 if len(values) == 1 else values, n=4, method="inclusive"
    )
    return min(values), low, middle, high, max(values)
