"""What makes an item odd, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..records import Scale
from ..rounding import CONSTANT
from .chance import OFTEN

__all__ = ["flags_of", "order_of_flag"]

# A correlation below 0 is so at a two-sided 5 %: of items without any, one in forty.
UNLIKELY = 0.05
UNLIKELY_ONE_SIDED = UNLIKELY / 2
# The most telling first.
KINDS = (
    *("wrong_key", "negative_discrimination"),
    *("always_wrong", "always_right", "no_spread"),
    *("quarrels", "flips"),
)


def order_of_flag(row: Mapping[str, Any]) -> tuple[int, float]:
    """Sorts the items by the kind of their flag, then by its size; those without one last."""
    flag = row["flag"]
    if flag is None:
        return len(KINDS), 0.0
    size = {"quarrels": "quarrels", "flips": "flips"}.get(flag)
    sizes = row["item_total"] if flag in KINDS[:2] else -row[size] if size else 0.0
    return KINDS.index(flag), float(sizes)


def flags_of(
    columns: Mapping[str, np.ndarray],
    alike: np.ndarray,
    scale: Scale | None,
    persons: np.ndarray,
) -> tuple[list[str | None], list[str | None]]:
    """The first flag of each item, the most telling one, and the reasons for all of its flags.

    `alike`: the items on which all persons have the same mean.
    """
    flags: list[str | None] = []
    reasons: list[str | None] = []
    low, high = scale or (0.0, 1.0)
    for place in range(len(alike)):
        row = {name: float(values[place]) for name, values in columns.items()}
        found = list(_flags(row, bool(alike[place]), low, high, int(persons[place])))
        flags.append(found[0][0] if found else None)
        reasons.append(" ".join(reason for _, reason in found) or None)
    return flags, reasons


def _flags(
    row: Mapping[str, float], alike: bool, low: float, high: float, persons: int
) -> Iterator[tuple[str, str]]:
    """Comparisons with NaN are false: what is not known raises no flag."""
    total, difficulty = row["item_total"], row["difficulty"]
    if total < 0 and row["item_total_p"] < UNLIKELY:
        against = f"Better conditions score lower on it (item-total {total:.2f})"
        if difficulty < (low + high) / 2:
            yield "wrong_key", f"{against}, and most fail it: check the key."
        else:
            yield "negative_discrimination", f"{against}: read the item."
    if persons > 1 and alike:
        what = f"All {persons} conditions score {difficulty:g}: it tells none apart"
        if difficulty >= high - CONSTANT:
            yield "always_right", f"{what}."
        elif difficulty <= low + CONSTANT:
            yield "always_wrong", f"{what}. Check the key."
        else:
            yield "no_spread", f"{what}."
    if row["quarrels"] >= OFTEN and row["quarrels_p"] < UNLIKELY_ONE_SIDED:
        yield (
            "quarrels",
            f"Graders differ on {_percent(row['quarrels'])} of its answers, more than by chance.",
        )
    if row["flips"] >= OFTEN and row["flips_p"] < UNLIKELY_ONE_SIDED:
        yield (
            "flips",
            f"Replications differ in {_percent(row['flips'])} of its cells, more than by chance.",
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
