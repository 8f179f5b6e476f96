"""What the documents of figures say alike, and the pictures that they share."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from itemeval_assets.report.render.scores import scale_words
from itemeval_assets.report.views import View, together
from itemeval_assets.report.views.view import Column

if TYPE_CHECKING:
    from types import ModuleType


class Estimated(Protocol):
    """What was estimated at a level, in clusters of items."""

    @property
    def level(self) -> float: ...
    @property
    def cluster(self) -> str | None: ...


def intervals(found: "Estimated") -> str:
    """What all intervals have in common."""
    clusters = f", items clustered by {found.cluster}" if found.cluster else ""
    return f"{100 * found.level:g} % intervals{clusters}"


def scale_sentence(scale: tuple[float, float] | None) -> str:
    return f"The scale is {scale_words(scale)}."


def by_grader(graded_by: str | None, words: Iterable[str]) -> str:
    """All that is said by one grader, whose name stands once."""
    return (f"By {graded_by}: " if graded_by else "") + " ".join(words)


def rows_by_grader(views: Mapping[str, View]) -> View | None:
    """What a program reads: the rows of all graders."""
    return together(views, Column("", "text", None, "graded by")) if views else None


def rows_by_table(**views: View | None) -> View | None:
    """What a program reads of several tables: the column `table` says what a row is."""
    known = {name: view for name, view in views.items() if view}
    return together(known, Column("", "text", None, "table")) if known else None


def plots() -> "ModuleType":
    """Late: a terminal shows no picture."""
    from itemeval_assets.report.plots import certainty

    return certainty
