"""What the terminal shows of money: the estimate, the spend with its savings, the preflight."""

import math
import os
from typing import TYPE_CHECKING

from rich.table import Table

from itemeval_assets.core.labels import labels_in
from itemeval_assets.core.pricing import is_local
from itemeval_assets.core.spend import Spend, total_spend

from .terminal import data, dollars, out

if TYPE_CHECKING:
    from itemeval_assets.core.estimate import Projection
    from itemeval_assets.core.preflight import ModelHealth
    from itemeval_assets.stages.estimate import PartitionEstimate, StudyEstimate

__all__ = ["preflight", "spend_table", "study_estimate"]


def spend_table(spends: list[Spend]) -> Table:
    """Spend per provider and model; a column of savings only where something was saved."""
    saved = ("response_cache", "prompt_cache", "batch")
    shown = [name for name in saved if any(getattr(s, f"saved_by_{name}_usd") for s in spends)]
    table = Table(title="spend", title_justify="left", title_style="bold")
    for name in ("provider", "model"):
        table.add_column(name, overflow="fold")
    headings = ("calls", "usd", *(["list price"] if shown else []))
    for name in (*headings, *(f"saved: {name.replace('_', ' ')}" for name in shown)):
        table.add_column(name, justify="right")
    for spend in [*spends, *([total_spend(spends)] if len(spends) > 1 else [])]:
        unpriced = spend.calls and spend.unpriced_calls == spend.calls
        table.add_row(
            data(spend.provider),
            data(spend.model) or "[bold]all[/bold]",
            str(spend.calls),
            "no price" if unpriced else _paid(spend.model, spend.usd),
            *([dollars(spend.list_usd)] if shown else []),
            *(dollars(getattr(spend, f"saved_by_{name}_usd")) for name in shown),
        )
    return table


def study_estimate(found: "StudyEstimate") -> None:
    """What remains to be called: per condition, in sum, against the budget, and in time."""
    out.print(
        f"[bold]{data(found.study)}[/bold]: "
        f"{found.items} items x {found.replications} replications, "
        f"policy {found.policy}; no model was called"
    )
    for title, parts in (("solutions", found.generate), ("gradings by judges", found.grade)):
        if parts:
            out.print(_estimate_table(title, parts))
    rest = found.remaining
    out.print(f"What remains: {_projected(rest)}.")
    out.print(f"The full grid: {_projected(found.grid)}.")
    reserved = f", {dollars(found.reserved_usd)} reserved by runs" if found.reserved_usd else ""
    cap = "no hard cap" if found.max_usd is None else f"hard cap {dollars(found.max_usd)}"
    out.print(
        f"{dollars(found.spent_usd)} spent so far{reserved}; {cap}; "
        f"consent is asked for above {dollars(found.confirm_above_usd)}."
    )
    if found.wall_time_s and rest.calls > rest.cached:
        least, most = (_duration(seconds) for seconds in found.wall_time_s)
        out.print(f"It takes {least} to {most}, by the latency seen so far.")
    for warning in found.warnings:
        out.print(f"[yellow]![/yellow] {data(warning)}", soft_wrap=True)


def _estimate_table(title: str, parts: "list[PartitionEstimate]") -> Table:
    cached = any(part.remaining.cached for part in parts)
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("condition", "graded by")[: len(parts[0].partition)]:
        table.add_column(heading, overflow="fold")
    counts = ("calls", *(["cached"] if cached else []), "in", "out")
    for name in (*counts, "at most", "expected", "grid"):
        table.add_column(name, justify="right")
    for part in parts:
        rest = part.remaining
        table.add_row(
            *map(data, labels_in(part.label, part.partition)),
            f"{rest.calls}/{part.grid.calls}",
            *([str(rest.cached)] if cached else []),
            _tokens(rest.input_tokens),
            _tokens(rest.output_tokens),
            _projected_usd(rest),
            "?" if rest.expected_usd is None else dollars(rest.expected_usd),
            _projected_usd(part.grid),
        )
    return table


def _paid(model: str, usd: float | None) -> str:
    """What calls of a model cost; a model that runs here is free."""
    return "free" if usd == 0 and is_local(model, os.environ) else dollars(usd)


def _tokens(count: int) -> str:
    return str(count) if count < 10_000 else f"{count / 1000:,.0f}k"


def _projected(rest: "Projection") -> str:
    cached = f" ({rest.cached} from the response cache, free)" if rest.cached else ""
    expected = ""
    if rest.expected_usd is not None and rest.calls > rest.cached:
        expected = f", {dollars(rest.expected_usd)} expected"
    return f"{rest.calls} calls{cached}, at most {_projected_usd(rest)}{expected}"


def _projected_usd(rest: "Projection") -> str:
    return "no price" if rest.unpriced and not rest.usd else dollars(rest.usd)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def preflight(found: "list[ModelHealth]") -> None:
    """A line per model: its verdict, why, and how long its answer took."""
    table = Table(title="preflight", title_justify="left", title_style="bold")
    for name in ("model", "verdict", "reason"):
        table.add_column(name, overflow="fold")
    for name in ("latency", "usd"):
        table.add_column(name, justify="right")
    colours = {"ok": "green", "dead": "red", "unverified": "yellow"}
    for health in found:
        latency = "" if health.latency_s is None else f"{health.latency_s:.2f} s"
        verdict = f"[{colours[health.verdict]}]{health.verdict}[/]"
        table.add_row(
            data(health.model),
            verdict,
            data(health.reason),
            latency,
            _paid(health.model, health.usd),
        )
    out.print(table)
