"""What the terminal shows of the cells of a study."""

from typing import TYPE_CHECKING

from .render.terminal_table import show
from .terminal import data, out
from .views import CELLS, REASONS, View

if TYPE_CHECKING:
    from itemeval_assets.stages.views.cells import CellSurvey

_MOST_REASONS = 12
_MOST_ROWS = 20


def cell_survey(found: "CellSurvey") -> None:
    """Counts by state, the reasons, and the first cells of what is not done, or was asked for."""
    counts = ", ".join(
        f"{count:,} {state.replace('_', ' ')}" for state, count in found.states.items()
    )
    out.print(
        f"[bold]{data(found.study)}[/bold], policy {found.policy}: {found.cells:,} cells: {counts}"
    )
    if found.reasons:
        shown = found.reasons[:_MOST_REASONS]
        more = f", {_MOST_REASONS} most frequent" if len(shown) < len(found.reasons) else ""
        show(View(f"reasons{more}", REASONS, shown))
    if found.rows:
        more = (
            f", first {_MOST_ROWS:,} of {len(found.rows):,}" if len(found.rows) > _MOST_ROWS else ""
        )
        show(View(f"cells{more}", CELLS, found.rows[:_MOST_ROWS]))
    if len(found.rows) > _MOST_ROWS:
        out.print("All of them: --json, or itemeval_assets.cells in Python.")
