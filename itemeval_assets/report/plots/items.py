"""The picture of the items: how hard each is, and whether better conditions do better on it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itemeval_assets.core.text.words import counted

from .figures import (
    COLOURS,
    INK,
    WIDEST,
    describe,
    figure,
    heading,
    panel_title,
    short,
    without_repeats,
)

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.items.item_statistics import GraderItems

_MOST_PANELS, _MOST_NAMED = 4, 5
# The width of the narrowest panel.
_INCHES = 2.1


def items(graders: "Sequence[GraderItems]") -> Figure:
    """A panel for each grader, with a dot for each item. At least one has items."""
    known = {one.graded_by: one for one in graders if one.items}
    once = without_repeats(known)
    panels = [known[name] for name in once[:_MOST_PANELS]]
    with figure(min(WIDEST, 1.2 + 2.9 * len(panels)), 3.4) as drawn:
        axes = drawn.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for one, grader in zip(axes, panels, strict=True):
            _panel(one, grader.items)
            panel_title(one, grader.graded_by, _INCHES)
            one.set_xlabel("mean score", size=8)
        axes[0].set_ylabel("item-total correlation", size=8)
        rest = f"; {len(panels)} of {len(once)} graders" if len(panels) < len(once) else ""
        rest += "; of each judge the first repeat" if len(once) < len(known) else ""
        heading(drawn, f"Items; coloured: flagged; ×: tells no two conditions apart{rest}")
        describe(drawn, "Items", map(_told, panels))
    return drawn


def _told(grader: "GraderItems") -> str:
    """How hard the items of a grader are, and which are flagged."""
    means = [row["difficulty"] for row in grader.items if row["difficulty"] is not None]
    flagged = [str(row["item_id"]) for row in grader.items if row["flag"]]
    more = ", ..." if len(flagged) > _MOST_NAMED else ""
    named = f" ({', '.join(flagged[:_MOST_NAMED])}{more})" if flagged else ""
    ends = f", mean scores {min(means):.2f} to {max(means):.2f}" if means else ""
    words = counted(len(grader.items), "item")
    return f"{grader.graded_by}: {words}{ends}, {len(flagged)} flagged{named}"


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    known = [row for row in rows if row["difficulty"] is not None]
    known.sort(key=lambda row: bool(row["flag"]))  # above the others
    for row in known:
        total = row["item_total"]
        colour, size = (COLOURS[4], 6) if row["flag"] else (INK, 4)
        marker = "x" if total is None else "o"
        axes.plot(row["difficulty"], total or 0.0, marker, color=colour, markersize=size, alpha=0.8)
    odd = [row for row in known if row["flag"] and row["item_total"] is not None]
    for row in odd[:_MOST_NAMED]:
        place = (row["difficulty"], row["item_total"])
        name = short(str(row["item_id"]), 14)
        axes.annotate(name, place, (4, 4), textcoords="offset points", size=7)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_ylim(-1.1, 1.1)
    axes.margins(x=0.12)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4))
