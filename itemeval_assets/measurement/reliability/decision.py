"""How exact would other numbers of items, replications or graders be: the decision study."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arguments import checked, is_whole
from ..records import MeasurementError
from .components import Components

__all__ = ["DecisionStudy", "decision_study"]


@dataclass(frozen=True)
class DecisionStudy:
    """What a design with `n` levels of each facet would reach.

    `relative_error` and `absolute_error` are variances of the mean of an object: for ranking
    objects, and for its value. `generalizability` (E rho^2) and `dependability` (Phi) are the
    shares of variance that is the object's own; null where there is no variance at all.
    """

    n: Mapping[str, int]
    object_variance: float
    relative_error: float
    absolute_error: float
    generalizability: float | None
    dependability: float | None
    warnings: tuple[str, ...] = ()


@checked
def decision_study(components: Components, n: Mapping[str, int] | None = None) -> DecisionStudy:
    """Errors and coefficients for other numbers of levels (Brennan 2001, chapters 4 and 5).

    Each component is divided by the numbers of levels that an object's mean averages over.
    Relative error holds the sources of the object with a random facet, absolute error all sources
    with one. A source of the object with fixed facets alone is the object's own (Brennan 2001,
    section 4.4). Facets not named keep their observed numbers.
    """
    numbers = _numbers(components, n or {})
    design, one = components.design, frozenset({components.object})
    own = relative = absolute = 0.0
    for source, variance in zip(design.sources, components.table["variance"], strict=True):
        share = float(variance) / float(np.prod([numbers[facet] for facet in source - one]))
        if source - one <= design.fixed:
            own += share * (one <= source)
        else:
            absolute += share
            relative += share * (one <= source)
    return DecisionStudy(
        n=numbers,
        object_variance=own,
        relative_error=relative,
        absolute_error=absolute,
        generalizability=own / (own + relative) if own + relative else None,
        dependability=own / (own + absolute) if own + absolute else None,
        warnings=components.warnings,
    )


def _numbers(components: Components, n: Mapping[str, int]) -> dict[str, int]:
    design = components.design
    numbers = {facet: design.n[facet] for facet in design.facets if facet != components.object}
    for facet, count in n.items():
        if facet not in numbers:
            raise MeasurementError(
                f"{facet!r} is no facet to choose a number for. These are: {', '.join(numbers)}."
            )
        if facet in design.fixed and count != numbers[facet]:
            raise MeasurementError(
                f"{facet!r} is fixed at its {numbers[facet]} levels: other numbers are for random"
                " facets."
            )
        if not is_whole(count, 1):
            raise MeasurementError(f"n of {facet!r} is {count}: give a whole number, 1 or more.")
        numbers[facet] = int(count)
    return numbers
