"""Figures about judges, and what all of them need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from itemeval_assets.measurement import Estimate, MeasurementError

from ..planned import PlannedCells

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ITSELF",
    "PREFERENCE",
    "SAME",
    "SEVERITY",
    "SLOPE",
    "Agreement",
    "figure_of",
    "said_of",
    "shared_by",
]

SEVERITY, PREFERENCE, SLOPE = "severity", "self-preference", "score per 1,000 characters"
ITSELF, SAME = "alpha with itself", "same score in"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One figure about judges; `of` says whom it is about. Null where `why` says so."""

    figure: str
    of: str
    estimate: Estimate | None = None
    why: str | None = None


def shared_by(
    planned: PlannedCells, answers: "pd.Index"
) -> dict[Literal["item", "cluster"], list[str | None]]:
    """The item and the cluster of each answer: what the answers to one item have in common.

    Raises MeasurementError where an item has no cluster.
    """
    items: list[str | None] = answers.get_level_values("item_id").tolist()
    if planned.checked_cluster is None:
        return {"item": items}
    of_item = planned.columns.by_item(planned.checked_cluster)
    return {"item": items, "cluster": [of_item[str(item)] for item in items]}


def figure_of(figure: str, of: str, estimated: Callable[[], Estimate]) -> Agreement:
    """A figure, or why there is none."""
    try:
        return Agreement(figure=figure, of=of, estimate=estimated())
    except MeasurementError as error:
        return Agreement(figure=figure, of=of, why=str(error))


def said_of(figures: Sequence[Agreement]) -> Iterator[str]:
    """The warnings of figures: each once, and what it is about."""
    about: dict[str, list[str]] = {}
    for found in figures:
        for warning in found.estimate.warnings if found.estimate else ():
            about.setdefault(warning, []).append(f"{found.figure} of {found.of}")
    for warning, names in about.items():
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{warning} ({names[0]}{more})"
