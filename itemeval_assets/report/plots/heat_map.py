"""The picture of the scores by item: where the hard items are, and who masters them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from itemeval_assets.core.records.summaries import left_out_words

from .figures import INK, figure, heading, short

if TYPE_CHECKING:
    from itemeval_assets.core.records.summaries import ItemScores

MOST_ITEMS = 50
_MOST_PANELS = 6
MOST_COLUMNS = 40
_LONGEST_CONDITION = 28
_LONGEST_ITEM = 20
# Inches.
_ROW, _COLUMN, _NARROWEST = 0.15, 0.22, 1.4
# Steps of a twentieth, which the eye can match with the bar; the darkest shows on black, too.
_STEPS = ListedColormap([mpl.colormaps["viridis"](0.08 + 0.92 * step / 20) for step in range(21)])

Cells = Sequence[Sequence[float | None]]


def score_by_item(scores: "ItemScores") -> Figure:
    """Items x conditions, one map for each judge and scorer; the hardest item is on top.

    Colours span the scale of each. A cell without a score has none, but a cross. There must be
    at least one cell.
    """
    items = _spread(scores.items, MOST_ITEMS)
    panels = list(scores.means)[:_MOST_PANELS]
    most = MOST_COLUMNS // len(panels)
    columns = [list(scores.means[panel])[:most] for panel in panels]
    rows = max(8, len(items))
    widths = [max(_NARROWEST, _COLUMN * len(names)) for names in columns]
    with figure(2.8 + sum(widths), 2.6 + _ROW * rows) as drawn:
        maps = drawn.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=widths)[0]
        for axes, panel, names, width in zip(maps, panels, columns, widths, strict=True):
            scale = scores.scales[panel]
            cells = [[_share(scores, panel, name, item) for name in names] for item in items]
            _map(axes, cells)
            axes.set_xticks(range(len(names)), [short(n, _LONGEST_CONDITION) for n in names])
            span = f"{scale.low:g} to {scale.high:g}"
            axes.set_title(f"{short(panel, int(15 * width))}\n{span}", loc="left", size=8)
        maps[0].set_yticks(range(len(items)), [short(item, _LONGEST_ITEM) for item in items])
        bar = drawn.colorbar(maps[0].images[0], ax=list(maps), ticks=[0, 1], aspect=rows, pad=0.02)
        bar.ax.set_yticklabels(["lowest", "highest"], size=8)
        bar.outline.set_visible(False)  # type: ignore[operator]
        notes = "; ".join(_notes(scores, len(items), len(panels), most))
        left_out = f"\nleft out: {left_out_words(scores.left_out)}"
        heading(drawn, notes + (left_out if scores.left_out else ""))
    return drawn


def _share(scores: "ItemScores", panel: str, condition: str, item: str) -> float | None:
    mean = scores.means[panel][condition].get(item)
    return None if mean is None else scores.scales[panel].share(mean)


def _map(axes: Axes, cells: Cells) -> None:
    numbers = [[math.nan if cell is None else cell for cell in row] for row in cells]
    axes.imshow(numbers, aspect="auto", cmap=_STEPS, vmin=0, vmax=1)
    missing = [(x, y) for y, row in enumerate(cells) for x, cell in enumerate(row) if cell is None]
    if missing:
        axes.scatter(*zip(*missing, strict=True), marker="x", s=12, linewidths=0.8, color=INK)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=7)
    axes.tick_params(axis="x", rotation=90)


def _notes(scores: "ItemScores", items: int, panels: int, columns: int) -> list[str]:
    """What the picture shows, and what it leaves out."""
    most, all_items = max(map(len, scores.means.values())), len(scores.items)
    notes = ["Mean score by item, hardest on top", "× has no score"]
    if items < all_items:
        notes += [f"{items} of {all_items} items, evenly from hard to easy"]
    if columns < most:
        notes += [f"{columns} of {most} conditions"]
    if panels < len(scores.means):
        notes += [f"{panels} of {len(scores.means)} judges and scorers"]
    return notes


def _spread(ranked: list[str], most: int) -> list[str]:
    """At most so many entries, at even steps, with the first and the last."""
    if len(ranked) <= most:
        return ranked
    return [ranked[round(place * (len(ranked) - 1) / (most - 1))] for place in range(most)]
