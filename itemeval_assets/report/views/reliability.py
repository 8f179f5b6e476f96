"""Views of variance components, and of what other designs would reach."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.designs import Design

__all__ = ["components_view", "designs_view", "facet_words", "source_words"]


def components_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """Where the variance of scores comes from."""
    return View(title, _COMPONENTS, rows)


def designs_view(
    rows: "Sequence[Design]", title: str, scale: tuple[float, float] | None = None
) -> View:
    """What other numbers of levels of a facet would reach."""
    of_scores = Column(lambda _: scale, "scale", None, "scale", reader="programs")
    return View(title, (*_DESIGNS, of_scores), rows)


def source_words(source: str) -> str:
    """`model x item x replication`, of the columns that make a source."""
    return " x ".join(FACET_WORDS.get(name, name) for name in source.split(":"))


def facet_words(facet: str, n: int = 2) -> str:
    """One word per facet, as people say it of so many."""
    word = FACET_WORDS.get(facet, facet)
    return word if n == 1 or word.endswith("s") else f"{word}s"


def _limits(row: Mapping[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return "-"
    return f"{row['low']:.3g} to {row['high']:.3g}"


def _note(row: Mapping[str, Any]) -> str:
    if row["fixed"]:
        return "fixed"
    return "set to 0" if row["negative"] else ""


FACET_WORDS = {
    "item_id": "item",
    "prompt_name": "prompt",
    "model_config_name": "config",
    "gen_condition_id": "condition",
    "grade_condition_id": "grader",
}
_COMPONENTS = (
    Column(lambda row: source_words(row["source"]), "text", "source", "source", "source"),
    Column("df", "count", "df", "df", "df"),
    Column("variance", "component", "variance", "variance", "variance"),
    Column("share", "part", "share", "share", "share"),
    Column(_limits, "number", "interval", "interval", "interval", reader="people"),
    Column("low", "component", None, "low", reader="programs"),
    Column("high", "component", None, "high", reader="programs"),
    Column("mean_square", "component", None, "mean square"),
    Column(lambda row: row.get("level"), "part", None, "level", reader="programs"),
    Column(lambda row: row.get("scale"), "scale", None, "scale", reader="programs"),
    Column(_note, "text", "note", "note", "note", _note),
)
_DESIGNS = (
    Column(lambda row: facet_words(row.facet), "text", "facet", "facet", "facet"),
    Column(
        lambda row: f"{row.n:,}{' (now)' if row.observed else ''}",
        "text",
        "n",
        "n",
        "n",
        reader="people",
    ),
    Column("n", "count", None, "n", reader="programs"),
    Column(lambda row: "yes" if row.observed else "", "text", None, "now", reader="programs"),
    Column("relative_error", "difference", "relative\nerror", "relative error", "relative error"),
    Column("absolute_error", "difference", "absolute\nerror", "absolute error", "absolute error"),
    Column("generalizability", "mean", "E rho²", "E rho²", "E rho²"),
    Column("dependability", "mean", "Phi", "Phi", "Phi"),
)
