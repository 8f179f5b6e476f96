"""What the terminal shows of the cells of a study."""

from typing import TYPE_CHECKING

from .terminal import data, figures, out

if TYPE_CHECKING:
    from itemeval_assets.stages.views.cells import CellSurvey

__all__ = ["cell_survey"]

MOST_REASONS = 12
MOST_ROWS = 20
LONGEST_REASON = 120


def cell_survey(found: "CellSurvey") -> None:
    """Counts by state, the reasons, and the first cells of what is not done, or was asked for."""
    counts = ", ".join(f"{count:,} {_words(state)}" for state, count in found.states.items())
    out.print(
        f"[bold]{data(found.study)}[/bold], policy {found.policy}: {found.cells:,} cells: {counts}"
    )
    if found.reasons:
        shown = found.reasons[:MOST_REASONS]
        more = f", {MOST_REASONS} most frequent" if len(shown) < len(found.reasons) else ""
        table = figures(f"reasons{more}", ("state", "lacks", "reason"), ("cells",))
        for reason in shown:
            table.add_row(
                _words(reason.state), reason.stage, _one_line(reason.reason), f"{reason.cells:,}"
            )
        out.print(table)
    if found.rows:
        more = (
            f", first {MOST_ROWS:,} of {len(found.rows):,}" if len(found.rows) > MOST_ROWS else ""
        )
        texts = ("condition", "graded by", "item")
        table = figures(f"cells{more}", texts, ("replication",))
        table.add_column("state")
        for row in found.rows[:MOST_ROWS]:
            table.add_row(
                data(row["condition"]),
                data(row["graded_by"]),
                data(row["item_id"]),
                str(row["replication"]),
                _words(row["state"]),
            )
        out.print(table)
    if len(found.rows) > MOST_ROWS:
        out.print("All of them: --json, or itemeval_assets.cells in Python.")


def _words(state: str) -> str:
    return state.replace("_", " ")


def _one_line(text: str | None) -> str:
    line = " ".join((text or "").split())
    return data(line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…")
