"""Partial credit: how near a year is, measured by what the item allows."""

import re


def score(solution: str, target: str, metadata: dict) -> float:
    """1 for the year itself, 0 from `tolerance` years away, in a straight line between."""
    found = re.findall(r"ANSWER:\s*(\d{1,4})\b", solution)
    if not found:
        raise ValueError("no year after ANSWER:")
    distance = abs(int(found[-1]) - int(target))
    return max(0.0, 1.0 - distance / metadata["tolerance"])
