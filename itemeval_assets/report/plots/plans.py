"""The picture of a plan: what each design finds, by what it costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib import ticker
from matplotlib.figure import Figure

from .figures import COLOURS, INK, describe, figure, heading, short

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.plans.records import GraderPlan, PlanRow

__all__ = ["plan_curves"]

_MOST_GRADERS, _LONGEST_LABEL = 4, 44


def plan_curves(graders: "Sequence[GraderPlan]") -> Figure:
    """The smallest difference by cost, a line for each grader. At least one has designs."""
    shown = graders[:_MOST_GRADERS]
    priced = all(row.usd is not None for one in shown for row in one.designs)
    free = not any(row.usd for one in shown for row in one.designs)
    by_usd = priced and not free
    with figure(6.4, 3.4) as drawn:
        axes = drawn.subplots()
        for one, colour in zip(shown, COLOURS, strict=False):
            rows = sorted(one.designs, key=lambda row: _cost(row, by_usd))
            costs = [_cost(row, by_usd) for row in rows]
            label = short(one.graded_by, _LONGEST_LABEL)
            axes.plot(costs, [row.detect for row in rows], ".-", color=colour, label=label)
            for row in rows:
                if "now" in row.note:
                    axes.plot(_cost(row, by_usd), row.detect, "o", color=INK)
                if "asked for" in row.note:
                    axes.plot(_cost(row, by_usd), row.detect, "D", color=colour)
        axes.set_xscale("symlog")
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("USD" if by_usd else "calls")
        axes.set_ylabel("smallest difference")
        drawn.legend(loc="outside lower left", fontsize=8)
        title = "Smallest difference by cost"
        heading(drawn, f"{title}; grey dot: now, diamond: asked for")
        describe(
            drawn,
            title,
            (
                f"{one.graded_by}: {row.detect:.3f} with {row.items} items x {row.replications}"
                f" replications, {_cost(row, by_usd):g} {'USD' if by_usd else 'calls'}"
                for one in shown
                for row in one.designs
            ),
        )
    return drawn


def _cost(row: "PlanRow", by_usd: bool) -> float:
    return float(row.usd or 0.0) if by_usd else float(row.calls)
