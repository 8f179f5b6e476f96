"""What makes an item odd, in words."""

from collections.abc import Iterator, Mapping

import numpy as np

from ..intervals import CONSTANT
from ..records import Scale

__all__ = ["flags_of"]

# At this share of cells or answers an item flips, or its judges quarrel.
OFTEN = 0.5
UNLIKELY = 0.05


def flags_of(
    columns: Mapping[str, np.ndarray],
    spread: np.ndarray,
    scale: Scale | None,
    persons: np.ndarray,
) -> tuple[list[str | None], list[str | None]]:
    """The first flag of each item, the most telling one, and the reasons for all of its flags."""
    flags: list[str | None] = []
    reasons: list[str | None] = []
    low, high = scale or (0.0, 1.0)
    for place in range(len(spread)):
        row = {name: float(values[place]) for name, values in columns.items()}
        found = list(_flags(row, float(spread[place]), low, high, int(persons[place])))
        flags.append(found[0][0] if found else None)
        reasons.append(" ".join(reason for _, reason in found) or None)
    return flags, reasons


def _flags(
    row: Mapping[str, float], spread: float, low: float, high: float, persons: int
) -> Iterator[tuple[str, str]]:
    """Comparisons with NaN are false: what is not known raises no flag."""
    total, difficulty = row["item_total"], row["difficulty"]
    if total < 0 and row["item_total_p"] < UNLIKELY:
        against = f"Better conditions score lower on it (item-total {total:.2f})"
        if difficulty < (low + high) / 2:
            yield "wrong_key", f"{against}, and most fail it: check the key."
        else:
            yield "negative_discrimination", f"{against}: read the item."
    if persons > 1 and spread <= CONSTANT * max(1.0, abs(difficulty)):
        what = f"All {persons} conditions score {difficulty:g}: it tells none apart"
        if difficulty >= high - CONSTANT:
            yield "always_right", f"{what}."
        elif difficulty <= low + CONSTANT:
            yield "always_wrong", f"{what}. Check the key."
        else:
            yield "no_spread", f"{what}."
    if row["quarrels"] >= OFTEN:
        yield "quarrels", f"Graders differ on {row['quarrels']:.0%} of its answers."
    if row["flips"] >= OFTEN:
        yield "flips", f"Replications differ in {row['flips']:.0%} of its cells."
