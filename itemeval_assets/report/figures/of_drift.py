"""The document of changes between times."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import changes_view

from .wording import by_grader, intervals

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.drift.records import GraderDrift, StudyDrift

__all__ = ["drift"]


def drift(found: "StudyDrift") -> Document:
    """Words first, by grader; then the table of all changes, and how to read it."""
    view = changes_view(found.by_grader)
    blocks = [
        *found.notes,
        *(by_grader(one.graded_by, _words(one)) for one in found.by_grader),
        *found.words,
        view,
    ]
    if view.rows:
        blocks.append(
            f"{intervals(found)}, of each change alone. A change is the mean of later less earlier"
            " scores, on the items that both have: of the model on new answers, of the judge on"
            " the same answers. That none is told does not show that there is none."
        )
    return Document(f"Drift of {found.study}", blocks, {}, view)


def _words(one: "GraderDrift") -> Iterator[str]:
    for change in one.changes:
        of = "model or judge" if change.of == "both" else change.of
        yield f"{change.time}, {of}: {change.difference.verdict}"
    for label, why in one.left_out:
        yield f"{label} left out: {why}"
    yield from one.words
