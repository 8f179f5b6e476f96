"""Views of variance components, and of what other designs would reach."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.reliability import Design

__all__ = ["components_view", "designs_view"]


def components_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """Where the variance of scores comes from."""
    return View(title, _COMPONENTS, rows)


def designs_view(rows: "Sequence[Design]", title: str) -> View:
    """What other numbers of levels of a facet would reach."""
    return View(title, _DESIGNS, rows)


def _note(row: Mapping[str, Any]) -> str:
    if row["fixed"]:
        return "fixed: the spread of these levels"
    return "negative, set to 0" if row["negative"] else ""


_COMPONENTS = (
    Column("source", "text", "source", "source", "source"),
    Column("df", "count", "df", "df", "df"),
    Column("variance", "component", "variance", "variance", "variance"),
    Column("share", "part", "share", "share", "share"),
    Column("low", "component", "low", "low", "low"),
    Column("high", "component", "high", "high", "high"),
    Column("mean_square", "component", None, "mean square"),
    Column(_note, "text", "note", "note", "note"),
)
_DESIGNS = (
    Column("facet", "text", "facet", "facet", "facet"),
    Column(lambda row: f"{row.n:,}{' (now)' if row.observed else ''}", "text", "n", "n", "n"),
    Column("relative_error", "component", "relative\nerror", "relative error", "relative error"),
    Column("absolute_error", "component", "absolute\nerror", "absolute error", "absolute error"),
    Column("generalizability", "component", "E rho²", "E rho²", "E rho²"),
    Column("dependability", "component", "Phi", "Phi", "Phi"),
)
