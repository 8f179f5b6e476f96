"""Views of means and of differences, with their certainty."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .view import Column, View, part_of

if TYPE_CHECKING:
    from itemeval_assets.measurement import Difference
    from itemeval_assets.stages.figures.comparisons import Compared
    from itemeval_assets.stages.figures.scores import Score

__all__ = [
    "GRADED",
    "differences_view",
    "groups_view",
    "interval_of",
    "levels_view",
    "means_view",
]


class Pair(NamedTuple):
    """A comparison, by whom."""

    graded_by: str
    scale: tuple[float, float] | None
    found: "Difference"


def means_view(rows: "Sequence[Score]", by: str | None = None, figure: str = "mean score") -> View:
    """A figure of each generate x grade condition; `by`: of each value of this item column."""
    group = (Column("group", "text", by, by, by),) if by else ()
    heading = figure.replace(" ", "\n", 1)
    mean = Column("mean", "mean", heading, figure, figure)
    return View("scores", (*GRADED, *group, mean, *_MEANS), rows)


def differences_view(families: "Sequence[Compared]", level: float) -> View:
    """Each pair of objects, by each grader."""
    rows = [
        Pair(family.graded_by or "", family.scale, found)
        for family in families
        for found in family.differences
    ]
    holm = any(len(family.differences) > 1 for family in families)
    p = Column("found.p", "p", "p (Holm)" if holm else "p", "p (Holm)" if holm else "p", "p")
    call = Column(lambda row: _call(row.found, level), "text", None, "call", "call")
    return View("comparisons", (*_PAIR, p, *_PAIR_REST, call), rows)


def levels_view(family: "Compared") -> View:
    """The difference of two objects at each level of a column of the items."""
    by = family.interaction.by if family.interaction else ""
    found = family.interaction.levels if family.interaction else {}
    level = Column("graded_by", "text", by, by, by)
    p = Column("found.p", "p", "p", "p", "p")
    rows = [Pair(str(name), family.scale, one) for name, one in found.items()]
    title = f"by {by}, graded by {family.graded_by}" if family.graded_by else f"by {by}"
    return View(title, (level, *_PAIR[1:], p, *_PAIR_REST), rows)


def groups_view(family: "Compared") -> View:
    """The groups of the objects that one grader cannot tell apart."""
    title = f"groups by {family.graded_by}" if family.graded_by else "groups"
    return View(title, _GROUPS, [*family.letters.items()])


def interval_of(row: Any) -> tuple[float, float] | None:
    low, high = part_of(row, "low"), part_of(row, "high")
    return None if low is None or high is None else (low, high)


def _is_clustered(row: Any) -> bool:
    return 0 < row.n_clusters < row.n_items


def _call(found: "Difference", level: float) -> str:
    if found.p >= 1 - level:
        return "too close to call"
    return "better" if found.value > 0 else "worse"


GRADED = (
    Column("condition", "text", "condition", "condition", "condition"),
    Column("graded_by", "text", "graded by", "graded by", "graded by"),
)
_MEANS = (
    # Both ends in one column where people read, and in two where programs may.
    Column(interval_of, "interval", "interval", None, "interval"),
    Column("low", "mean", None, "low"),
    Column("high", "mean", None, "high"),
    Column("standard_error", "mean", None, "standard error"),
    Column("n_items", "count", "items", "items", "items"),
    Column("n_clusters", "count", "clusters", "clusters", "clusters", _is_clustered),
    Column("scale", "scale", "scale", "scale", "scale"),
    Column("cells", "count", None, "cells", "cells"),
    Column("left_out", "left_out", "left out", "left out", "left out"),
    Column("bounds", "interval", "bounds", "bounds", "bounds", "bounds"),
    Column("method", "text", None, "method"),
    Column(lambda row: " ".join(row.warnings), "text", None, "warnings"),
)
_PAIR = (
    Column("graded_by", "text", "graded by", "graded by", "graded by", "graded_by"),
    Column("found.a", "text", "a", "a", "a"),
    Column("found.b", "text", "b", "b", "b"),
    Column("found.value", "mean", "a - b", "difference", "a - b"),
    Column(lambda row: interval_of(row.found), "interval", "interval", None, "interval"),
    Column("found.low", "mean", None, "low"),
    Column("found.high", "mean", None, "high"),
    Column("found.standard_error", "mean", None, "standard error"),
)
_PAIR_REST = (
    Column("found.p_unadjusted", "p", None, "p of this pair alone"),
    Column("found.p_mcnemar", "p", None, "p of McNemar"),
    Column("found.n_items", "count", "items", "items", "items"),
    Column(
        "found.n_clusters",
        "count",
        "clusters",
        "clusters",
        "clusters",
        lambda row: _is_clustered(row.found),
    ),
    Column("found.n_ties", "count", "ties", "ties", "ties"),
    Column("scale", "scale", None, "scale"),
    Column("found.verdict", "text", None, "verdict"),
    Column(lambda row: " ".join(row.found.warnings), "text", None, "warnings"),
)
_GROUPS = (
    Column(lambda row: row[0], "text", "best first", "best first", "best first"),
    Column(lambda row: row[1], "text", "groups", "groups", "groups"),
)
