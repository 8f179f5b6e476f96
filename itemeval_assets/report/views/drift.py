"""The view of changes between times."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .figures import Pair, interval_of
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.drift.changes import Change
    from itemeval_assets.stages.figures.drift.records import GraderDrift

__all__ = ["changes_view"]


class _Row(NamedTuple):
    """A change, and its difference as any other one is told."""

    graded_by: str
    change: "Change"
    pair: Pair

    @property
    def low(self) -> float | None:
        return self.pair.low

    @property
    def high(self) -> float | None:
        return self.pair.high

    @property
    def call(self) -> str:
        if not self.pair.is_called:
            return "too close to call"
        return "higher" if self.pair.value > 0 else "lower"


def changes_view(found: "Sequence[GraderDrift]") -> View:
    """Each change since the first time, by each grader."""
    rows = [
        _Row(one.graded_by, change, Pair(one.graded_by, one.scale, change.difference, {}))
        for one in found
        for change in one.changes
    ]
    several = any(len(one.changes) > 1 for one in found)
    p = "p (Holm)" if several else "p"
    p_column = Column("pair.p", "p", p, p, p)
    return View("changes", (*_CHANGES, p_column, *_REST), rows, split="graded_by")


_CHANGES = (
    Column("graded_by", "text", "graded by", "graded by", "graded by", once=True),
    Column("change.time", "text", "time", "time", "time"),
    Column("change.of", "text", "of", "of", "of"),
    Column("change.condition", "text", "condition", "condition", "condition", "change.condition"),
    Column("pair.full_a", "text", None, "later", reader="programs"),
    Column("pair.full_b", "text", None, "earlier", reader="programs"),
    Column("pair.value", "difference", "change", "change", "change"),
    Column(interval_of, "span", "interval", "interval", "interval", reader="people"),
    Column("low", "difference", None, "low", reader="programs"),
    Column("high", "difference", None, "high", reader="programs"),
    Column("pair.found.level", "part", None, "level", reader="programs"),
    Column("pair.found.standard_error", "difference", None, "standard error", wide=True),
)
_REST = (
    Column("pair.p_unadjusted", "p", None, "p unadjusted", wide=True),
    Column("pair.found.n_items", "count", "items", "items", "items", once=True),
    Column("pair.scale", "scale", "scale", "scale", "scale", once=True),
    Column("pair.found.verdict", "text", None, "verdict", reader="programs"),
    Column("call", "text", None, "call", "call", reader="people"),
)
