"""The pictures of the results: scores, what could not be parsed, and what calls cost and take."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import INK, figure, heading, short

if TYPE_CHECKING:
    from itemeval_assets.core.paid_calls import PaidCalls
    from itemeval_assets.core.summaries import Graded

__all__ = ["cost_and_latency", "parse_failures", "score_distribution"]

# Colours that also the colour-blind tell apart (after Okabe and Ito), in the order of their use.
COLOURS = ("#0f82c0", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
MOST_PANELS = 12
PANELS_PER_ROW = 3
MOST_BARS = 24
LONGEST_LABEL = 40
# Latencies that differ by more than this factor stand on a logarithmic axis.
WIDE = 30


def score_distribution(graded: "Mapping[str, Graded]") -> Figure:
    """A histogram for each judge and scorer, on its own scale, with the mean as a line.

    Those without a score are left out; at least one must have one.
    """
    scored = {name: found for name, found in graded.items() if found.scores}
    count = min(MOST_PANELS, len(scored))
    columns = min(PANELS_PER_ROW, count)
    rows = math.ceil(count / columns)
    with figure(0.4 + 3.1 * columns, 1.9 * rows) as drawn:
        panels = list(drawn.subplots(rows, columns, squeeze=False).flat)
        for axes, (name, found) in zip(panels, scored.items(), strict=False):
            _histogram(axes, found)
            axes.set_title(f"{short(name, LONGEST_LABEL)}\n{_counts(found)}", loc="left", size=8)
        for axes in panels[count:]:
            axes.set_axis_off()
        if count < len(scored):
            heading(drawn, f"{count} of {len(scored)} judges and scorers")
    return drawn


def parse_failures(graded: "Mapping[str, Graded]") -> Figure:
    """The share of replies without a score, for each judge and rubric and each scorer, by code.

    Where there are too many, the worst are shown. At least one must be there.
    """
    shown = dict(sorted(graded.items(), key=lambda entry: -_share_failed(entry[1]))[:MOST_BARS])
    shown = {name: found for name, found in graded.items() if name in shown}
    codes = Counter[str]()
    for found in shown.values():
        codes.update(found.failures)
    named = [code for code, _ in codes.most_common(len(COLOURS) - 1)]
    with figure(8, 1.4 + 0.26 * len(shown)) as drawn:
        axes = drawn.subplots()
        for place, found in enumerate(shown.values()):
            counts = {code: found.failures.get(code, 0) for code in named}
            counts["other"] = found.failed - sum(counts.values())
            end = 0.0
            for count, colour in zip(counts.values(), COLOURS, strict=False):
                length = count / max(1, _returned(found))
                axes.barh(place, length, left=end, height=0.6, color=colour)
                end += length
            _write(axes, end, place, _rate(found))
        _rows(axes, list(shown))
        axes.set_xlim(0, min(1.25, max(0.1, 1.35 * max(map(_share_failed, shown.values())))))
        axes.xaxis.set_major_formatter(ticker.PercentFormatter(1.0, decimals=None))
        axes.set_title("Replies without a score", loc="left")
        handles = [axes.barh(0, 0, color=colour) for colour in COLOURS]
        names = [*named, *(["other"] if len(codes) > len(named) else [])]
        if names:
            axes.legend(handles[: len(names)], names, fontsize=8)
    return drawn
