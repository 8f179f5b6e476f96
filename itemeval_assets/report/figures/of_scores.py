"""The document of scores."""

from typing import TYPE_CHECKING

from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import means_view

from .wording import intervals, plots

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.scores.records import StudyScores

__all__ = ["scores"]


# How to read what is no mean score, by what its name begins with.
_OTHERS = {
    "pass@": (
        "An item counts the chance that one of so many of its replications passes: what somebody"
        " gets who can tell right answers from wrong ones."
    ),
    "majority@": (
        "An item counts the chance that most of so many of its replications pass; a draw counts"
        " half. It votes on scores, not on answers: where wrong answers differ, a vote on answers"
        " is right more often."
    ),
    "panel mean": (
        "Each judge weighs the same, on the items that all of them graded. It says how good a"
        " condition is for these judges, not for judges in general."
    ),
}


def scores(found: "StudyScores") -> Document:
    """The mean of each generate x grade condition."""
    view = means_view(found.rows, found.by, found.figure)
    reading = (
        f"{intervals(found)}: the mean over all items like these is probably within. Intervals that"
        " overlap do not show that two conditions are alike: `compare` tests that."
    )
    other = [words for start, words in _OTHERS.items() if found.figure.startswith(start)]
    known = any(row.low is not None for row in found.rows)
    blocks = [view, *([reading, *other] if known else []), *found.words]
    pictures = (
        {"scores with intervals": lambda: plots().means(found.rows, found.figure)} if known else {}
    )
    return Document(f"Scores of {found.study}", blocks, pictures, view)
