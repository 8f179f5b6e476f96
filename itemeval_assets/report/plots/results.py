"""The pictures of the results: scores, what could not be parsed, and what calls cost and take."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itemeval_assets.core.records.summaries import scored_words

from .figures import COLOURS, figure, heading, short

if TYPE_CHECKING:
    from itemeval_assets.core.money.paid_calls import FiveNumbers, PaidCalls
    from itemeval_assets.core.records.summaries import Graded

_MOST_PANELS = 12
_PANELS_PER_ROW = 3
_MOST_BARS = 24
_LONGEST_LABEL = 40
# Latencies that differ by more than this factor stand on a logarithmic axis.
_WIDE = 30


def score_distribution(graded: "Mapping[str, Graded]") -> Figure:
    """A histogram for each judge and scorer, on its own scale.

    Those without a score are left out; at least one must have one.
    """
    scored = {name: found for name, found in graded.items() if found.scored}
    count = min(_MOST_PANELS, len(scored))
    columns = min(_PANELS_PER_ROW, count)
    rows = math.ceil(count / columns)
    with figure(0.4 + 3.1 * columns, 1.9 * rows) as drawn:
        panels = list(drawn.subplots(rows, columns, squeeze=False).flat)
        for axes, (name, found) in zip(panels, scored.items(), strict=False):
            _histogram(axes, found)
            title = [short(name, _LONGEST_LABEL), *scored_words(found).split("; ")]
            axes.set_title("\n".join(title), loc="left", size=8)
        for axes in panels[count:]:
            axes.set_axis_off()
        if count < len(scored):
            heading(drawn, f"{count} of {len(scored)} judges and scorers")
    return drawn


def parse_failures(graded: "Mapping[str, Graded]") -> Figure:
    """The share of replies without a score, by code, for each judge and rubric and each scorer.

    Where there are too many of these, the worst are shown. At least one must be there.
    """
    worst = sorted(graded, key=lambda name: -_share_failed(graded[name]))[:_MOST_BARS]
    shown = {name: found for name, found in graded.items() if name in worst}
    with figure(8, 1.3 + 0.26 * len(shown)) as drawn:
        axes = drawn.subplots()
        ends = [0.0] * len(shown)
        for (code, counts), colour in zip(_by_code(shown).items(), COLOURS, strict=False):
            shares = [n / max(1, f.returned) for n, f in zip(counts, shown.values(), strict=True)]
            axes.barh(range(len(shown)), shares, 0.6, ends, color=colour, label=code)
            ends = [end + share for end, share in zip(ends, shares, strict=True)]
        for place, found in enumerate(shown.values()):
            share = _share_failed(found)
            _write(axes, share, place, f"{found.failed} of {found.returned}  ({share:.1%})")
        _label_rows(axes, shown)
        axes.set_xlim(0, 1.4 * max(0.05, *ends))
        axes.xaxis.set_major_formatter(ticker.PercentFormatter(1.0))
        rest = f", {len(shown)} worst of {len(graded)}" if len(shown) < len(graded) else ""
        axes.set_title(f"Replies that could not be parsed{rest}", loc="left")
        if any(ends):
            drawn.legend(loc="outside lower left", ncols=3, fontsize=8)
    return drawn


def cost_and_latency(calls: "Mapping[str, Mapping[str, PaidCalls]]") -> Figure:
    """Latency and USD of a call. `calls`: {stage: {condition: its paid calls}}; at least one.

    Boxes hold the middle half of the latencies, and whiskers all of them.
    """
    rows = [
        (stage, colour, name, found)
        for (stage, conditions), colour in zip(calls.items(), COLOURS, strict=False)
        for name, found in list(conditions.items())[:_MOST_BARS]
    ]
    total = sum(map(len, calls.values()))
    dearest = max(found.usd_per_call or 0.0 for *_, found in rows)
    with figure(8.5, 1.3 + 0.26 * len(rows)) as drawn:
        left, right = drawn.subplots(1, 2, sharey=True)
        for place, (stage, colour, _, found) in enumerate(rows):
            if found.latency_s:
                _box(left, place, found.latency_s, colour)
            usd = found.usd_per_call or 0.0
            label = stage if rows[place - 1][0] != stage or not place else None
            right.barh(place, usd, 0.6, color=colour, label=label)
            _write(right, usd, place, _priced_calls(found))
        _label_rows(left, [name for *_, name, _ in rows])
        _latency_axis(left, [seconds for *_, found in rows for seconds in found.latency_s or ()])
        right.set_title("USD per call × calls", loc="left")
        right.set_xlim(
            0, (2.6 if any(found.unpriced for *_, found in rows) else 1.8) * dearest or 1.0
        )
        right.xaxis.set_visible(False)
        right.spines["bottom"].set_visible(False)
        right.tick_params(length=0)
        drawn.legend(loc="outside lower left", ncols=3, fontsize=8)
        if len(rows) < total:
            heading(drawn, f"{len(rows)} of {total} conditions")
    return drawn


def _histogram(axes: Axes, found: "Graded") -> None:
    scale, counts = found.scale, found.histogram
    step = (scale.high - scale.low) / (len(counts) - 1)
    centres = [scale.low + step * place for place in range(len(counts))]
    axes.bar(centres, counts, 0.9 * step, color=COLOURS[0])
    axes.set_xlim(scale.low - step, scale.high + step)
    axes.set_xticks([scale.low, (scale.low + scale.high) / 2, scale.high])
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(3, integer=True))
    axes.tick_params(labelsize=8)


def _by_code(graded: "Mapping[str, Graded]") -> dict[str, list[int]]:
    """{code: failures of each}, the most frequent code first, and the rarest as one."""
    total = Counter[str]()
    for found in graded.values():
        total.update(found.failures)
    ranked = [code for code, _ in total.most_common()]
    named = ranked if len(ranked) <= len(COLOURS) else ranked[: len(COLOURS) - 1]
    counts = {code: [f.failures.get(code, 0) for f in graded.values()] for code in named}
    if len(named) < len(ranked):
        rare = ranked[len(named) :]
        counts[f"{len(rare)} other codes"] = [
            sum(f.failures.get(code, 0) for code in rare) for f in graded.values()
        ]
    return counts


def _share_failed(found: "Graded") -> float:
    """Of the events of which something came back."""
    return found.failed / max(1, found.returned)


def _box(axes: Axes, place: int, seconds: "FiveNumbers", colour: str) -> None:
    low, first, middle, third, high = seconds
    axes.hlines(place, low, high, colour, linewidth=1.5)
    axes.barh(place, third - first, 0.6, first, color=colour, alpha=0.5)
    axes.vlines(middle, place - 0.3, place + 0.3, colour, linewidth=3)


def _latency_axis(axes: Axes, seconds: list[float]) -> None:
    axes.set_title("Latency of a call, in seconds", loc="left")
    if seconds and min(seconds) > 0 and max(seconds) > _WIDE * min(seconds):
        axes.set_xscale("log")
    else:
        axes.set_xlim(0, 1.05 * max(seconds, default=0.0) or 1.0)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
    if not seconds:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center")


def _priced_calls(found: "PaidCalls") -> str:
    """What a call costs, how many there are, and how many of them the price leaves out."""
    left_out = found.unpriced if found.usd_per_call is not None else 0
    unpriced = f", {left_out} without a price" if left_out else ""
    return f"{_price(found.usd_per_call)} × {found.calls}{unpriced}"


def _price(usd: float | None) -> str:
    """To two digits, and never as 2.6e-05."""
    if not usd:
        return "no price" if usd is None else "$0"
    return f"${usd:.{max(0, 1 - math.floor(math.log10(usd)))}f}"


def _label_rows(axes: Axes, names: Iterable[str]) -> None:
    """The first on top. Two rows may have one name: they stand apart all the same."""
    labels = [short(name, _LONGEST_LABEL) for name in names]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def _write(axes: Axes, x: float, place: int, text: str) -> None:
    """A text right of the end of a bar."""
    axes.annotate(text, (x, place), (4, 0), textcoords="offset points", va="center", size=8)
