"""What the terminal shows of money: the estimate, the spend with its savings, the preflight."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table

from itemeval_assets.core.money.spend import Spend, total_spend
from itemeval_assets.core.text.labels import labels_in

from .terminal import data, dollars, figures, out

if TYPE_CHECKING:
    from itemeval_assets.core.money.estimate import Projection
    from itemeval_assets.core.money.preflight import ModelHealth
    from itemeval_assets.stages.projection.estimate import PartitionEstimate, StudyEstimate

__all__ = ["mocks_are_free", "preflight", "spend_table", "study_estimate"]

# From so many columns on the estimate shows tokens, too.
WIDE = 110


def spend_table(spends: list[Spend]) -> Table:
    """Spend per provider and model; a column of savings only where something was saved."""
    saved = ("response_cache", "prompt_cache", "batch")
    shown = [name for name in saved if any(getattr(s, f"saved_by_{name}_usd") for s in spends)]
    headings = ["calls", "usd", *(["list\nprice"] if shown else [])]
    headings += ["saved:\n" + name.replace("_", "\n") for name in shown]
    table = figures("spend", ("provider", "model"), headings)
    for spend in [*spends, *([total_spend(spends)] if len(spends) > 1 else [])]:
        unpriced = spend.calls and spend.unpriced_calls == spend.calls
        table.add_row(
            data(spend.provider),
            data(spend.model) or "[bold]all[/bold]",
            str(spend.calls),
            "no price" if unpriced else "free" if spend.is_free else dollars(spend.usd),
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
    mocks_are_free(part.model for part in (*found.generate, *found.grade) if part.grid.usd)
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
    # On a narrow terminal the tokens go, not the dollars.
    has_tokens = out.width >= WIDE
    texts = ("condition", "graded by")[: len(parts[0].partition)]
    counts = ("calls", *(["cached"] if cached else []), *(["in", "out"] if has_tokens else []))
    table = figures(title, texts, (*counts, "at most", "expected", "grid"))
    for part in parts:
        rest = part.remaining
        table.add_row(
            *map(data, labels_in(part.label, part.partition)),
            f"{rest.calls}/{part.grid.calls}",
            *([str(rest.cached)] if cached else []),
            *(map(_tokens, (rest.input_tokens, rest.output_tokens)) if has_tokens else ()),
            _projected_usd(rest),
            "?" if rest.expected_usd is None else dollars(rest.expected_usd),
            _projected_usd(part.grid),
        )
    return table


def mocks_are_free(models: Iterable[str]) -> None:
    """Say of the dollars of mock models that nobody pays them."""
    mocks = sorted({model for model in models if model.startswith("mockllm/")})
    if mocks:
        out.print(f"{data(', '.join(mocks))}: mock prices, nobody is paid.", soft_wrap=True)


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
    table = figures("preflight", ("model", "verdict", "reason"), ("latency", "usd"))
    colours = {"ok": "green", "dead": "red", "unverified": "yellow"}
    for health in found:
        latency = "" if health.latency_s is None else f"{health.latency_s:.2f} s"
        verdict = f"[{colours[health.verdict]}]{health.verdict}[/]"
        table.add_row(
            data(health.model),
            verdict,
            data(health.reason),
            latency,
            _paid(health),
        )
    out.print(table)
    mocks_are_free(health.model for health in found if health.usd)


def _paid(health: "ModelHealth") -> str:
    """What the call cost; nothing of a model that could not be called."""
    if health.usd is None and health.latency_s is None:
        return ""
    return "free" if health.verdict == "ok" and health.usd == 0 else dollars(health.usd)
