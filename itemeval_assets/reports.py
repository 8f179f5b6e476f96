"""What the terminal shows: tables, progress bars, messages."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.prompt import Confirm
from rich.table import Table

from itemeval_assets.core.errors import ConsentMissing
from itemeval_assets.core.spend import Spend, total_spend

if TYPE_CHECKING:
    from itemeval_assets.core.estimate import Projection
    from itemeval_assets.core.preflight import ModelHealth
    from itemeval_assets.core.study import Partition
    from itemeval_assets.engine.progress import Progress
    from itemeval_assets.project import QuickstartSummary
    from itemeval_assets.runs import RunSummary
    from itemeval_assets.stages.estimate import PartitionEstimate, StudyEstimate
    from itemeval_assets.stages.export import ExportResult
    from itemeval_assets.stages.status import PartitionStatus, StudyStatus

__all__ = [
    "ask_consent",
    "created",
    "export_result",
    "jsonable",
    "preflight",
    "problem",
    "progress_bar",
    "quickstart_summary",
    "run_summary",
    "study_estimate",
    "study_status",
    "was_reset",
]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def problem(message: str) -> None:
    """An error, on standard error, as plain text: paths in it stay in one piece."""
    sys.stderr.write(f"error: {message}\n")


def ask_consent(refusal: ConsentMissing) -> float | None:
    """The USD that a person at this terminal agrees to spend; None without a person or a yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    err.print(str(refusal).splitlines()[0])
    # Without a price there is no amount to agree to.
    projected = refusal.facts.get("projected_usd", 0.0) if "allowed_usd" in refusal.facts else None
    amount = "an unknown amount" if projected is None else f"up to ${projected:.4f}"
    agrees = Confirm.ask(f"Spend {amount}?", console=err, default=False)
    if not agrees:
        return None
    return math.inf if projected is None else projected * (1 + 1e-9)


@contextmanager
def progress_bar(hidden: bool) -> "Iterator[Callable[[Progress], None]]":
    """A bar per stage with counts, rate, cost and time left; on standard error."""
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    bars = Bars(*columns, console=err, disable=hidden, redirect_stdout=False)
    tasks: dict[int, TaskID] = {}

    def show(progress: "Progress") -> None:
        if id(progress) not in tasks:
            bars.start()
            tasks[id(progress)] = bars.add_task(progress.stage, facts="")
        bars.update(
            tasks[id(progress)],
            total=progress.total,
            completed=progress.done,
            facts=_facts(progress),
        )

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


def _facts(progress: "Progress") -> str:
    left = f"{progress.left_s:.0f} s left" if progress.left_s is not None else ""
    facts = [f"{progress.rate_per_s:.1f}/s", _usd(progress.usd), left]
    if progress.errored:
        facts.append(f"[red]{progress.errored} errored[/red]")
    if progress.retries:
        facts.append(f"[yellow]{progress.retries} retries[/yellow]")
    if progress.waiting:
        facts.append(f"[yellow]{escape(progress.waiting)}[/yellow]")
    return "  ".join(fact for fact in facts if fact)


def run_summary(summary: "RunSummary") -> None:
    """What a run did: how the study stands, the calls and dollars of this run, the files."""
    study_status(summary.status)
    if summary.calls:
        cached = f", {summary.cached} of them from the response cache" if summary.cached else ""
        out.print(f"This run: {summary.calls} calls{cached}, {_usd(summary.usd)}.")
    else:
        out.print("This run: nothing was pending, no model was called.")
    if summary.recovered:
        out.print(f"Read back {summary.recovered} finished calls from logs of a stopped run.")
    if summary.unpriced:
        out.print(f"No price is known for {', '.join(summary.unpriced)}: usd is null there.")
    if summary.held_back:
        out.print(
            f"[yellow]{summary.held_back} calls were held back[/yellow]: answers without "
            "max_tokens cost more than was agreed; run again to go on."
        )
    if summary.errored:
        out.print(f"[red]{summary.errored} cells errored[/red]; run again to call just those.")
    export_result(summary.export)


def export_result(result: "ExportResult") -> None:
    """Spend per model with what was saved, and where the exported files are."""
    if result.spend:
        out.print(_spend(result.spend))
    out.print(f"{result.rows} grading events; {_usd(result.usd)} spent by this study so far.")
    for path in result.paths.values():
        out.print(f"  {path}", soft_wrap=True)


def study_status(status: "StudyStatus") -> None:
    """The completion matrix: a table of generate conditions and one of gradings."""
    out.print(
        f"[bold]{status.study}[/bold]: {status.items} items x {status.replications} replications, "
        f"policy {status.policy}, {_usd(status.usd)} spent"
    )
    out.print(_matrix("solutions", status.generate, ("truncated",)))
    out.print(_matrix("gradings", status.grade, ("waiting", "parse_failures")))
    for partition in status.given_up:
        name = " | ".join(partition)
        out.print(f"[red]given up by the schedule[/red]: {name}; itemeval-assets reset CONFIG")
    if status.not_in_design:
        out.print(f"{len(status.not_in_design)} stored partitions are not in the current design:")
        for partition in status.not_in_design:
            out.print(f"  {' | '.join(partition)}", soft_wrap=True)


def _matrix(title: str, rows: "list[PartitionStatus]", more: tuple[str, ...]) -> Table:
    """One row per partition; a column of a trouble only where there is one."""
    troubles = ("missing", "errored", "blank", "stale", *more)
    shown = [name for name in troubles if _any(rows, name)]
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("condition", "graded by")[: len(rows[0].partition)]:
        table.add_column(heading, overflow="fold")
    for name in ("done", *shown, "usd"):
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        counts = [_count(name, getattr(row, name)) for name in shown]
        done = f"{row.done}/{row.cells}"
        table.add_row(*row.label.split(" | "), done, *counts, _usd(row.usd))
    return table


def _spend(spends: list[Spend]) -> Table:
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
            spend.provider,
            spend.model or "[bold]all[/bold]",
            str(spend.calls),
            "no price" if unpriced else _usd(spend.usd),
            *([_usd(spend.list_usd)] if shown else []),
            *(_usd(getattr(spend, f"saved_by_{name}_usd")) for name in shown),
        )
    return table


def study_estimate(found: "StudyEstimate") -> None:
    """What remains to be called: per condition, in sum, against the budget, and in time."""
    out.print(
        f"[bold]{found.study}[/bold]: {found.items} items x {found.replications} replications, "
        f"policy {found.policy}; no model was called"
    )
    for title, parts in (("solutions", found.generate), ("gradings by judges", found.grade)):
        if parts:
            out.print(_estimate_table(title, parts))
    rest = found.remaining
    out.print(f"What remains: {_projected(rest)}.")
    out.print(f"The full grid: {_projected(found.grid)}.")
    reserved = f", {_usd(found.reserved_usd)} reserved by runs" if found.reserved_usd else ""
    cap = "no hard cap" if found.max_usd is None else f"hard cap {_usd(found.max_usd)}"
    out.print(
        f"{_usd(found.spent_usd)} spent so far{reserved}; {cap}; "
        f"consent is asked for above {_usd(found.confirm_above_usd)}."
    )
    if found.wall_time_s and rest.calls > rest.cached:
        least, most = (_duration(seconds) for seconds in found.wall_time_s)
        out.print(f"It takes {least} to {most}, by the latency seen so far.")
    for warning in found.warnings:
        out.print(f"[yellow]![/yellow] {warning}", soft_wrap=True)


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
            *part.label.split(" | "),
            f"{rest.calls}/{part.grid.calls}",
            *([str(rest.cached)] if cached else []),
            _tokens(rest.input_tokens),
            _tokens(rest.output_tokens),
            _projected_usd(rest),
            "?" if rest.expected_usd is None else _usd(rest.expected_usd),
            _projected_usd(part.grid),
        )
    return table


def _tokens(count: int) -> str:
    return str(count) if count < 10_000 else f"{count / 1000:,.0f}k"


def _projected(rest: "Projection") -> str:
    cached = f" ({rest.cached} from the response cache, free)" if rest.cached else ""
    expected = ""
    if rest.expected_usd is not None and rest.calls > rest.cached:
        expected = f", {_usd(rest.expected_usd)} expected"
    return f"{rest.calls} calls{cached}, at most {_projected_usd(rest)}{expected}"


def _projected_usd(rest: "Projection") -> str:
    return "no price" if rest.unpriced and not rest.usd else _usd(rest.usd)


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
            escape(health.model), verdict, escape(health.reason), latency, _usd(health.usd)
        )
    out.print(table)


def _any(rows: "list[PartitionStatus]", name: str) -> bool:
    return any(getattr(row, name) for row in rows)


def _count(name: str, value: int) -> str:
    colour = {"errored": "red", "stale": "yellow", "missing": "yellow"}.get(name)
    return f"[{colour}]{value}[/{colour}]" if value and colour else str(value)


def quickstart_summary(summary: "QuickstartSummary") -> None:
    """The quickstart's result: scores per condition, parse failures, cost, files, next steps."""
    run_summary(summary.run)
    table = Table(title="scores", title_justify="left", title_style="bold")
    for name in ("condition", "graded by"):
        table.add_column(name, overflow="fold")
    for name in ("events", "mean score", "parse failures"):
        table.add_column(name, justify="right")
    for row in summary.scores:
        condition = f"{row['model'].split('/')[-1]} · {row['prompt_name'].removeprefix('builtin:')}"
        mean = "-" if row["mean_score"] is None else f"{row['mean_score']:.2f}"
        table.add_row(
            condition, row["graded_by"], str(row["events"]), mean, str(row["parse_failures"])
        )
    out.print(table)
    out.print(f"Study: {summary.config}", soft_wrap=True)
    out.print(f"Look at it in Dagster:  itemeval-assets ui {summary.config}", soft_wrap=True)
    out.print(f"Look at every call:     inspect view --log-dir {summary.logs}", soft_wrap=True)


def was_reset(partitions: "list[Partition]") -> None:
    """The partitions whose attempts were forgotten."""
    if not partitions:
        out.print("No partition has attempts to forget.")
    for partition in partitions:
        out.print(f"asked for again: {' | '.join(partition)}", soft_wrap=True)


def created(files: list[Path], folder: Path) -> None:
    """What `init` made, and the command to go on with."""
    for path in files:
        out.print(f"  {path}", soft_wrap=True)
    out.print(f"Run it:  itemeval-assets run {folder / 'study.yaml'}", soft_wrap=True)


def jsonable(value: Any) -> Any:
    """A result as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _usd(value: float | None) -> str:
    if value is None:
        return "no price"
    return f"${value:,.4f}" if value else "$0"
