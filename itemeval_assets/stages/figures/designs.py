"""What other numbers of items, replications and graders would reach."""

from collections.abc import Iterator
from dataclasses import dataclass

from itemeval_assets.measurement import Components, decision_study

__all__ = ["GRADER", "ITEM", "REPLICATION", "Design", "designs"]

REPLICATION, ITEM, GRADER = "replication", "item_id", "grade_condition_id"
_NUMBERS = {
    ITEM: (10, 20, 50, 100, 200, 500, 1000, 2000),
    REPLICATION: (1, 2, 3, 5, 10),
    GRADER: (1, 2, 3, 5),
}


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a study with `n` levels of one facet would reach, all others as they are.

    `relative_error` and `absolute_error` are standard errors on the scale of the scores: for
    ranking objects, and for the value of one.
    """

    facet: str
    n: int
    observed: bool
    relative_error: float
    absolute_error: float
    generalizability: float | None
    dependability: float | None


def designs(found: Components) -> Iterator[Design]:
    """Each number of levels of each random facet, those of the study among them."""
    for facet, numbers in _NUMBERS.items():
        if facet not in found.n or facet in found.design.fixed or facet == found.object:
            continue
        observed = int(found.n[facet])
        for n in sorted({*numbers, observed}):
            study = decision_study(found, {facet: n})
            yield Design(
                facet=facet,
                n=n,
                observed=n == observed,
                relative_error=study.relative_error**0.5,
                absolute_error=study.absolute_error**0.5,
                generalizability=study.generalizability,
                dependability=study.dependability,
            )
