"""The pictures of certainty: means and differences with their intervals, and decision studies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from .plans import plan_curves

if TYPE_CHECKING:
    from itemeval_assets.report.views.figures import Pair
    from itemeval_assets.stages.figures.items.response import GraderResponses
    from itemeval_assets.stages.figures.judges.agreed import Agreement
    from itemeval_assets.stages.figures.reliability import GraderReliability
    from itemeval_assets.stages.figures.scores.records import Score

__all__ = [
    "abilities",
    "decision_curves",
    "differences",
    "difficulties",
    "judges",
    "means",
    "plan_curves",
]

_MOST_PANELS, _MOST_ROWS, _LONGEST_LABEL = 4, 30, 44
# The width of the narrowest panel of a forest.
_INCHES = 1.6
# The end of the difficulties that mirt fits. A single interval may be many times as wide.
_FARTHEST = 6.0
_FACETS = {"item_id": "items", "replication": "replications", "grade_condition_id": "graders"}


class Line(NamedTuple):
    """A value with its interval, if it has one. `stands_out`: it is to be seen first."""

    label: str
    value: float
    low: float | None
    high: float | None
    stands_out: bool = True


def means(rows: "Iterable[Score]", what: str) -> Figure:
    """The figure of each condition, in a panel for each grader. At least one has an interval."""
    panels: dict[str, list[Line]] = {}
    level, scales = 0.0, set[tuple[float, float] | None]()
    for row in rows:
        if row.mean is not None:
            label = row.condition if row.group is None else f"{row.condition}, {row.group}"
            line = Line(label, row.mean, row.low, row.high)
            panels.setdefault(row.graded_by, []).append(line)
            level = row.level
            scales.add(row.scale)
    title = f"{what[0].upper()}{what[1:]}, {_intervals(level)}"
    return _forest(panels, title, one_axis=len(scales) == 1)


def differences(pairs: "Sequence[Pair]") -> Figure:
    """A row for each pair, in a panel for each grader; of one scale on one axis. At least one."""
    panels: dict[str, list[Line]] = {}
    for one in pairs:
        line = Line(f"{one.a} vs {one.b}", one.value, one.low, one.high, one.is_called)
        panels.setdefault(one.graded_by or "graders", []).append(line)
    title = f"First less second, {_intervals(pairs[0].found.level)}; grey: too close to call"
    return _forest(panels, title, zero=True, one_axis=len({one.scale for one in pairs}) == 1)


def judges(figures: "Iterable[Agreement]", scales: Mapping[str, str]) -> Figure:
    """How severe each judge is, in a panel for each scale. At least one is known."""
    panels: dict[str, list[Line]] = {}
    for one in figures:
        if one.figure == "severity" and one.estimate:
            line = Line(one.of, one.estimate.value, one.estimate.low, one.estimate.high)
            panels.setdefault(scales[one.of], []).append(line)
    title = "Judges against their mean: left is severe, right is lenient"
    return _forest(panels, title, zero=True)


def decision_curves(graders: "Sequence[GraderReliability]") -> Figure:
    """The error of an object's mean by the number of items, replications, graders."""
    known = {one.graded_by: one for one in graders if one.designs}
    once = without_repeats(known)
    shown = [known[name] for name in once[:_MOST_PANELS]]
    facets = list(dict.fromkeys(design.facet for one in shown for design in one.designs))
    with figure(min(WIDEST, 3.6 * len(facets)), 3.2) as drawn:
        panels = drawn.subplots(1, len(facets), squeeze=False)[0]
        for axes, facet in zip(panels, facets, strict=True):
            for one, colour in zip(shown, COLOURS, strict=False):
                _curve(axes, one, facet, colour)
            axes.set_xscale("log")
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
            axes.set_title(_FACETS.get(facet, facet), loc="left", size=9)
        panels[0].set_ylabel("standard error")
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", fontsize=8)
        parts = ["Error of a mean", "solid: to rank, dashed: for its value", "dot: now"]
        heading(drawn, "; ".join([*parts, *_graders_left_out(known, once, shown)]))
        now = ((one, design) for one in shown for design in one.designs if design.observed)
        describe(
            drawn,
            parts[0],
            (
                f"{one.graded_by}: {design.relative_error:.3f} with {design.n} "
                f"{_FACETS.get(design.facet, design.facet)}, as now"
                for one, design in now
            ),
        )
    return drawn


def _curve(axes: Axes, one: "GraderReliability", facet: str, colour: str) -> None:
    designs = [design for design in one.designs if design.facet == facet]
    n = [design.n for design in designs]
    label = short(one.graded_by, _LONGEST_LABEL)
    axes.plot(n, [design.relative_error for design in designs], color=colour, label=label)
    axes.plot(n, [design.absolute_error for design in designs], color=colour, linestyle="--")
    for design in designs:
        if design.observed:
            axes.plot(design.n, design.relative_error, "o", color=colour)


def difficulties(graders: "Sequence[GraderResponses]", level: float) -> Figure:
    """How hard each item is, the hardest first. At least one has an estimate."""
    panels = {one.graded_by: _lines(one.items, "item", "difficulty", level) for one in graders}
    title = f"Difficulty, hardest first, {_intervals(level)}"
    return _forest(panels, title, zero=True, farthest=_FARTHEST)


def abilities(graders: "Sequence[GraderResponses]", level: float) -> Figure:
    """How able each condition is, the ablest first."""
    panels = {one.graded_by: _lines(one.persons, "person", "ability", level) for one in graders}
    return _forest(panels, f"Ability, ablest first, {_intervals(level)}", zero=True)


def _intervals(level: float) -> str:
    return f"with {100 * level:g} % intervals"


def _lines(
    rows: Sequence[Mapping[str, Any]], name: str, value: str, level: float
) -> Sequence[Line]:
    """Normal intervals of the rows that have an estimate, the highest first."""
    width = NormalDist().inv_cdf((1 + level) / 2)
    known = sorted((row for row in rows if row[value] is not None), key=lambda row: -row[value])
    errors = [width * row[f"{value}_se"] for row in known]
    return [
        Line(str(row[name]), row[value], row[value] - error, row[value] + error)
        for row, error in zip(known, errors, strict=True)
    ]


def _forest(
    panels: Mapping[str, Sequence[Line]],
    title: str,
    *,
    zero: bool = False,
    one_axis: bool = False,
    farthest: float | None = None,
) -> Figure:
    """Lines below each other, in the same order in each panel.

    `farthest`: how far from 0 the axis goes at most.
    """
    once = without_repeats(panels)
    names = once[:_MOST_PANELS]
    every = list(dict.fromkeys(line.label for name in names for line in panels[name]))
    labels = every[:_MOST_ROWS]
    with figure(min(WIDEST, 3 + 2.4 * len(names)), 1.2 + 0.26 * max(2, len(labels))) as drawn:
        axes = drawn.subplots(1, len(names), sharex=one_axis, sharey=True, squeeze=False)[0]
        for one, name, colour in zip(axes, names, COLOURS, strict=False):
            for line in panels[name]:
                if line.label in labels:
                    _line(one, labels.index(line.label), line, colour)
            if zero:
                one.axvline(0, color=INK, linewidth=0.8)
            panel_title(one, name, _INCHES)
            one.tick_params(labelsize=8)
            one.xaxis.set_major_locator(ticker.MaxNLocator(4))
            if farthest is not None:
                low, high = one.get_xlim()
                one.set_xlim(max(low, -farthest), min(high, farthest))
        axes[0].set_yticks(range(len(labels)), [short(label, _LONGEST_LABEL) for label in labels])
        axes[0].set_ylim(len(labels) - 0.5, -0.5)
        parts = [title]
        lines = [line for name in names for line in panels[name]]
        ends = [abs(end) for line in lines for end in (line.low, line.high) if end is not None]
        if farthest is not None and max(ends) > farthest:
            parts.append(f"the axis ends at {farthest:g}")
        if len(labels) < len(every):
            parts.append(f"{len(labels)} of {len(every)} rows")
        heading(drawn, "; ".join([*parts, *_graders_left_out(panels, once, names)]))
        decimals = 3 if zero else 2
        describe(
            drawn, title, (_told(name, line, decimals) for name in names for line in panels[name])
        )
    return drawn


def _told(panel: str, line: Line, decimals: int) -> str:
    """A value in words, with its interval."""
    ends = [end for end in (line.low, line.high) if end is not None]
    interval = f" ({' to '.join(f'{end:.{decimals}f}' for end in ends)})" if ends else ""
    return f"{panel}, {line.label}: {line.value:.{decimals}f}{interval}"


def _graders_left_out(known: Sized, once: Sized, shown: Sized) -> Iterator[str]:
    """Which graders a picture does not show: repeats of a judge first."""
    if len(shown) < len(once):
        yield f"{len(shown)} of {len(once)} graders"
    if len(once) < len(known):
        yield "of each judge the first repeat"


def _line(axes: Axes, place: int, line: Line, colour: str) -> None:
    shown = colour if line.stands_out else INK
    if line.low is not None and line.high is not None:
        axes.hlines(place, line.low, line.high, shown, linewidth=2)
    axes.plot(line.value, place, "o", color=shown, markersize=5)
