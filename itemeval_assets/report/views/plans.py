"""Views of designs: what they find, and what they cost."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.plans.records import Pilot, PlanRow

__all__ = ["pilot_view", "plan_view"]


def plan_view(
    rows: "Sequence[PlanRow]", title: str, scale: tuple[float, float] | None = None
) -> View:
    """Each design, the coarsest first."""
    of_scores = Column(lambda _: scale, "scale", None, "scale", reader="programs")
    return View(title, (*_DESIGNS, of_scores), rows)


def pilot_view(pilot: "Pilot") -> View:
    """What a program reads of a pilot."""
    return View("pilot", _PILOT, [pilot])


def _has_repeats(row: "PlanRow") -> bool:
    return row.repeats > 1


_DESIGNS = (
    Column("items", "count", "items", "items", "items"),
    Column("replications", "count", "replications", "replications", "replications"),
    Column("repeats", "count", "judge\nrepeats", "judge repeats", "judge repeats", _has_repeats),
    Column(
        "detect", "difference", "smallest\ndifference", "smallest difference", "smallest difference"
    ),
    Column("calls", "count", "calls", "calls", "calls"),
    Column("usd", "expected", "USD", "USD", "USD"),
    Column("at_most_usd", "expected", "USD\nat most", "USD at most", "USD at most"),
    Column("note", "text", "note", "note", "note", "note"),
)
_PILOT = (
    Column("items", "count", None, "items"),
    Column("replications", "count", None, "replications"),
    Column("calls", "count", None, "calls"),
    Column("usd", "expected", None, "USD"),
    Column("at_most_usd", "expected", None, "USD at most"),
)
