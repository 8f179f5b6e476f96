"""The view of a gate."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .figures import interval_of
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.gates.records import Judged

__all__ = ["gate_view"]


def gate_view(rows: "Sequence[Judged]", title: str) -> View:
    """A row for each candidate and grader."""
    return View(title, _JUDGED, rows)


_JUDGED = (
    Column("candidate", "text", "candidate", "candidate", "candidate", once=True),
    Column("against", "text", "against", "against", "against", once=True),
    Column("graded_by", "text", "graded by", "graded by", "graded by", once=True),
    Column("verdict", "text", "verdict", "verdict", "verdict"),
    Column("value", "difference", "difference", "difference", "difference"),
    Column(interval_of, "span", "bounds", "bounds", "bounds"),
    Column("n_items", "count", "items", "items", "items"),
)
