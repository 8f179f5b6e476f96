"""The pictures of docs/performance.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from .targets import Target

__all__ = ["draw_shares", "draw_sizes"]


def draw_shares(targets: Sequence[Target], path: Path) -> None:
    """How much of its bound each target uses, the worst on top."""
    figure = Figure(figsize=(8, 0.3 * len(targets) + 1), layout="constrained")
    axes = figure.subplots()
    shares = [target.share for target in reversed(targets)]
    colours = ["tab:red" if share > 1 else "tab:green" for share in shares]
    axes.barh(range(len(targets)), shares, color=colours)
    axes.set_yticks(range(len(targets)), [target.name for target in reversed(targets)], size=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("share of the bound that is used: beyond 1 the target is missed")
    figure.savefig(path, dpi=120)


def draw_sizes(sizes: Mapping[str, Mapping[str, Mapping[str, float]]], path: Path) -> None:
    """Seconds against size, both on logarithmic axes: {unit: {series: {size: seconds}}}."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, len(sizes))
    for axes, (unit, series) in zip(panels, sizes.items(), strict=True):
        for name, seconds in series.items():
            axes.loglog([int(size) for size in seconds], list(seconds.values()), "o-", label=name)
            axes.set_xticks([int(size) for size in seconds], [f"{int(s):,}" for s in seconds])
        axes.set(xlabel=unit, ylabel="seconds")
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=120)
