"""The document of comparisons."""

from typing import TYPE_CHECKING

from itemeval_assets.report.comparison_words import words_of_comparisons
from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import (
    View,
    differences_view,
    groups_view,
    levels_view,
    with_levels,
)

from .wording import intervals, plots

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.comparisons.records import StudyComparisons

__all__ = ["comparisons"]


def comparisons(found: "StudyComparisons") -> Document:
    """Words first, then the differences of all pairs, and the groups."""
    pairs, levels = differences_view(found.by_grader), levels_view(found.by_grader)
    drawn = {"differences": lambda: plots().differences(pairs.rows)} if pairs.rows else {}
    blocks = [*found.notes, *words_of_comparisons(found.by_grader, found.facet), pairs, levels]
    if any(len(family.groups) > 1 for family in found.by_grader):
        blocks.append(groups_view(found.by_grader))
    if pairs.rows:
        blocks.append(_reading(found, pairs, levels))
    title = f"Comparisons of {found.study}"
    return Document(title, blocks, drawn, with_levels(pairs, levels))


def _reading(found: "StudyComparisons", *tables: View) -> str:
    """How to read the table, and how not; p under the name that it has there."""
    names = {one.terminal for table in tables if table.rows for one in table.columns}
    holm = "p (Holm)"
    adjusted = f" `{holm}` is adjusted for the number of tests." if holm in names else ""
    return (
        f"{intervals(found)}, of each pair alone. A difference is that of item means, on the items"
        f" that both have scores of; ties are items with the same mean of both.{adjusted} That"
        " two cannot be told apart does not show that they are equal, and p does not say how large"
        " a difference is."
    )
