"""Scorers that need no judge: they compare the answer in a solution with the item's target.

Each takes a solution and a target and gives a verdict of 1.0 or 0.0, or a code where the two
cannot be compared or the answer is unclear. None raises, and their time grows linearly with the
length of the solution. Source of the rules: contracts, Results and failures.
"""

from collections.abc import Callable

from itemeval_assets.core.grading.verdict import Verdict

from .exact_match import exact_match
from .multiple_choice import multiple_choice
from .numeric import numeric

__all__ = ["SCORERS", "SCORER_VERSIONS", "score_solution"]

SCORERS: dict[str, Callable[[str, str], Verdict]] = {
    "exact_match": exact_match,
    "multiple_choice": multiple_choice,
    "numeric": numeric,
}

SCORER_VERSIONS = {"exact_match": "2", "multiple_choice": "3", "numeric": "3"}
"""Of the rules of each scorer. Raise one when its rules change: verdicts of another version are
stale, and the next run does them again, free."""


def score_solution(scorer: str, solution: str | None, target: str | None) -> Verdict:
    """The verdict of the named scorer; a null solution or target counts as a blank one.

    Raises:
        ValueError: there is no scorer of that name.
    """
    if scorer not in SCORERS:
        raise ValueError(f"unknown scorer {scorer!r}; known are {', '.join(SCORERS)}")
    return SCORERS[scorer](solution or "", target or "")
