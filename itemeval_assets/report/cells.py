"""The document of the cells of a study."""

from typing import TYPE_CHECKING

from .render.document import Document
from .views import CELLS, REASONS, View

if TYPE_CHECKING:
    from itemeval_assets.stages.views.cells import CellSurvey

_MOST_REASONS = 12


def cell_survey(found: "CellSurvey") -> Document:
    """Counts by state, the reasons, and every cell of what is not done, or was asked for."""
    counts = ", ".join(
        f"{count:,} {state.replace('_', ' ')}" for state, count in found.states.items()
    )
    cells = View("cells", CELLS, found.rows)
    summed = f"{found.study}, policy {found.policy}: {found.cells:,} cells: {counts}"
    reasons = found.reasons[:_MOST_REASONS]
    more = f", {_MOST_REASONS} most frequent" if len(reasons) < len(found.reasons) else ""
    blocks = [summed, *found.notes, View(f"reasons{more}", REASONS, reasons), cells]
    return Document(f"Cells of {found.study}", blocks, table=cells)
