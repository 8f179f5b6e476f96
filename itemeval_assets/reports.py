"""What the terminal shows: tables, progress bars, messages."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

if TYPE_CHECKING:
    from itemeval_assets.engine.progress import Progress
    from itemeval_assets.project import QuickstartSummary
    from itemeval_assets.runs import RunSummary
    from itemeval_assets.stages.export import ExportResult
    from itemeval_assets.stages.status import PartitionStatus, StudyStatus

__all__ = [
    "created",
    "export_result",
    "jsonable",
    "problem",
    "progress_bar",
    "quickstart_summary",
    "run_summary",
    "study_status",
]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def problem(message: str) -> None:
    """An error, on standard error, as plain text: paths in it stay in one piece."""
    sys.stderr.write(f"error: {message}\n")


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
        facts.append(f"[yellow]{progress.retries} retries: {progress.waiting}[/yellow]")
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
    if summary.errored:
        out.print(f"[red]{summary.errored} cells errored[/red]; run again to call just those.")
    export_result(summary.export)


def export_result(result: "ExportResult") -> None:
    """Where the exported files are."""
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


def created(files: list[Path], folder: Path) -> None:
    """What `init` made, and the command to go on with."""
    for path in files:
        out.print(f"  {path}", soft_wrap=True)
    out.print(f"Run it:  itemeval-assets run {folder / 'study.yaml'}", soft_wrap=True)


def jsonable(value: Any) -> Any:
    """A result as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def _usd(value: float | None) -> str:
    if value is None:
        return "no price"
    return f"${value:.4f}" if value else "$0"
