"""Where the ledger of itemeval differs from the logs and rows that are booked here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from itemeval_assets.core.money.ledger import is_nobody

# Run, stage and condition of the source.
Place = tuple[str, str, str]


def by_place(ledger: list[dict[str, Any]]) -> dict[Place, Mapping[str, Any]]:
    """The rows of a ledger that are of calls: each of one model, which the condition tells."""
    return {
        (row["run_id"], row["stage"], row["condition_id"]): row
        for row in ledger
        if not is_nobody(row["model"])
    }


def differences(
    ledger: Mapping[Place, Mapping[str, Any]], logged: Counter[Place], in_rows: Counter[Place]
) -> Iterator[str]:
    """What the ledger says otherwise than the logs, or, where these are gone, the rows.

    `logged` and `in_rows`: the tokens that they tell of.
    """
    for place in sorted({*logged, *in_rows}):
        what, found = ("logs", logged[place]) if place in logged else ("rows", in_rows[place])
        booked = (ledger[place]["total_tokens"] or 0) if place in ledger else 0
        if booked != found:
            run, stage, condition = place
            said = f"{booked:,} tokens" if place in ledger else "nothing"
            yield (
                f"the ledger of the source says {said} of {stage} {condition} in {run}, its {what} "
                f"{found:,}: the {what} are booked"
            )
