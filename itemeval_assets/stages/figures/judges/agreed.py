"""Figures about judges, and what all of them need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from itemeval_assets.measurement import Estimate, MeasurementError

from ..planned import PlannedCells

__all__ = [
    "ITSELF",
    "PREFERENCE",
    "SAME",
    "SEVERITY",
    "SLOPE",
    "SLOPE_PER",
    "Agreement",
    "figure_of",
    "said_of",
    "shared_by",
]

# Characters: a step that answers to one item can differ by.
SLOPE_PER = 100
SEVERITY, PREFERENCE, SLOPE = (
    "severity",
    "self-preference",
    f"score per {SLOPE_PER} characters",
)
ITSELF, SAME = "alpha with itself", "same score in"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One figure about judges; `of` says whom it is about. Null where `why` says so."""

    figure: str
    of: str
    estimate: Estimate | None = None
    why: str | None = None


def shared_by(planned: PlannedCells, answers: Any) -> dict[Literal["item", "cluster"], list[int]]:
    """A number for the item and for the cluster of each answer, as an index of pandas has them.

    Raises MeasurementError where an item has no cluster.
    """
    level = answers.names.index("item_id")
    items = answers.codes[level]
    if planned.checked_cluster is None:
        return {"item": items.tolist()}
    of_item = planned.columns.by_item(planned.checked_cluster)
    clusters = [of_item[item] for item in answers.levels[level]]
    place = {cluster: code for code, cluster in enumerate(dict.fromkeys(clusters))}
    return {
        "item": items.tolist(),
        "cluster": [place[clusters[code]] for code in items],
    }


def figure_of(figure: str, of: str, estimated: Callable[[], Estimate]) -> Agreement:
    """A figure, or why there is none."""
    try:
        return Agreement(figure=figure, of=of, estimate=estimated())
    except MeasurementError as error:
        return Agreement(figure=figure, of=of, why=str(error))


class _Figure(Protocol):
    """What says of itself what it is, whom it is about, and what it was estimated as."""

    @property
    def figure(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def estimate(self) -> Estimate | None: ...


def said_of(figures: Sequence[_Figure]) -> Iterator[str]:
    """The warnings of figures: each once, and what it is about."""
    about: dict[str, list[str]] = {}
    for found in figures:
        for warning in found.estimate.warnings if found.estimate else ():
            about.setdefault(warning, []).append(f"{found.figure} of {found.of}")
    for warning, names in about.items():
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{warning} ({names[0]}{more})"
