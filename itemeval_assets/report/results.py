"""What the terminal shows of a study: a run, the completion matrix, the files."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.money.losses import losses_words
from itemeval_assets.core.records.unread import can_be_recovered, unread_words
from itemeval_assets.core.text.words import counted, dollars
from itemeval_assets.host.installation import how_to_call

from .figures import scores
from .money import mocks_are_free
from .render.document import print_document
from .render.terminal_table import show
from .terminal import data, out, paragraph
from .views import COMPLETION, View, spend_view

if TYPE_CHECKING:
    from itemeval_assets.core.design.partitions import NamedPartition
    from itemeval_assets.core.records.failures import FailedCheck
    from itemeval_assets.core.records.releases import Release
    from itemeval_assets.project import QuickstartSummary
    from itemeval_assets.runs.summary import RunSummary
    from itemeval_assets.stages.export import ExportResult
    from itemeval_assets.stages.views.status import StudyStatus

_MOST_LISTED = 3
_NEXT = {
    "compare": "which is better, by how much and how sure",
    "items": "which questions are odd, and why",
    "report": "all of it as a web page",
    "ui": "the study in Dagster",
}
# Of a table at the end of a run; commands that only read print all.
_MOST_ROWS = 40


def run_summary(summary: "RunSummary") -> None:
    """What a run did: how the study stands, the calls and dollars of this run, the files."""
    _completion(summary.status, _MOST_ROWS)
    _calls(summary)
    if summary.scores and summary.export.rows:
        print_document(scores(summary.scores))
        if all(row.mean is None for row in summary.scores.rows):
            out.print(f"See why: {_command('cells', summary.status.config)}", soft_wrap=True)
    elif summary.export.rows:
        out.print(f"Scores: {_command('scores', summary.status.config)}", soft_wrap=True)
    _troubles(summary)
    export_result(summary.export)
    if summary.export.rows:
        _next_steps(summary.status.config)


def _calls(summary: "RunSummary") -> None:
    """The calls of this run, and what was made of older ones."""
    if summary.calls:
        cached = f", {summary.cached} of them from the response cache" if summary.cached else ""
        out.print(f"This run: {summary.calls} calls{cached}, {dollars(summary.usd)}.")
    else:
        since = f" The results last changed at {summary.changed_at}." if summary.changed_at else ""
        # A run of Dagster that called nobody may have read logs, or graded by scorers.
        pending = "" if summary.run_ids else "nothing was pending, "
        paragraph(f"This run: {pending}no model was called.{since}")
    for note in summary.notes:
        out.print(f"Note: {note}.", soft_wrap=True, markup=False)
    if summary.recovered:
        out.print(f"Recovered {summary.recovered} finished calls from logs.")
    if summary.accepted:
        out.print("Recorded as lost:\n" + data(losses_words(summary.accepted)), soft_wrap=True)


def _troubles(summary: "RunSummary") -> None:
    """What a reader of the scores must know first, and what to do about it."""
    config = summary.status.config
    if summary.unpriced:
        names = data(", ".join(summary.unpriced))
        out.print(f"No price is known for {names}: usd is null there.")
    if summary.failed_checks:
        failed = _listed(summary.failed_checks)
        out.print(f"Checks that failed: {failed}", soft_wrap=True, markup=False)
    if summary.missing:
        out.print(
            f"[yellow]{summary.missing} of the cells of this run have no result[/yellow]. See why: "
            f"{_command('cells', config)}; call them: {_command('run', config)}",
            soft_wrap=True,
        )
    for one in summary.unparsed:
        out.print(
            f"[yellow]{one.unparsed:,} of {one.replies:,} replies of {data(one.graded_by)} could "
            f"not be parsed ({one.unparsed / one.replies:.0%})[/yellow]. See them: "
            f"{_command('cells', config, '--state', 'unparsed')}",
            soft_wrap=True,
        )
    if summary.reason:
        out.print(summary.reason, style="red", soft_wrap=True, markup=False)


def _next_steps(config: str) -> None:
    """Commands to go on with, each with what it tells."""
    out.print("[bold]next[/bold]")
    longest = max(map(len, _NEXT))
    for command, tells in _NEXT.items():
        gap = " " * (longest - len(command))
        out.print(f"  {_command(command, config)}{gap}  [dim]{tells}[/dim]", soft_wrap=True)


def _listed(failed: "list[FailedCheck]") -> str:
    more = f"; and {len(failed) - _MOST_LISTED} more" if len(failed) > _MOST_LISTED else ""
    first = failed[:_MOST_LISTED]
    return "; ".join(f"{one.check} of {one.asset}: {one.label}" for one in first) + more


def export_result(result: "ExportResult") -> None:
    """Spend per model with what was saved, and where the exported files are."""
    if result.spend:
        _first_rows(spend_view(result.spend), _MOST_ROWS, "the ledger has all")
        mocks_are_free(spend.model for spend in result.spend if spend.usd)
    out.print(f"{result.rows} grading events; the ledger adds up to {dollars(result.usd)}.")
    for path in result.paths.values():
        out.print(f"  {data(path)}", soft_wrap=True)


def study_status(status: "StudyStatus") -> None:
    """The completion matrix: a table of generate conditions and one of gradings."""
    _completion(status)
    mocks_are_free(status.spent_on)


def _completion(status: "StudyStatus", most: int | None = None) -> None:
    """`most`: so many rows of each table."""
    out.print(
        f"[bold]{data(status.study)}[/bold]: "
        f"{counted(status.items, 'item')} x {counted(status.replications, 'replication')}, "
        f"policy {status.policy}, {dollars(status.usd)} {_spent(status)}"
    )
    if status.is_partial:
        paragraph(_partial(status))
    for title, parts in (("solutions", status.generate), ("gradings", status.grade)):
        view = View(title, COMPLETION, parts)
        _first_rows(view, most or len(parts), _command("status", status.config))
    if status.unmetered:
        out.print(
            f"[yellow]Replies of {data(', '.join(status.unmetered))} gave no token counts, or "
            "impossible ones[/yellow]: their usd is null, and budget.max_usd counts the most that "
            "they may have cost."
        )
    for words in unread_words(status.unread):
        out.print(f"{words[0].upper()}{words[1:]}.", style="yellow", soft_wrap=True, markup=False)
    if can_be_recovered(status.unread):
        out.print(f"Recover them: {_command('recover', status.config)}", soft_wrap=True)
    if status.lost:
        out.print("[red]Paid calls with neither a row nor a log left:[/red]")
        out.print(losses_words(status.lost), soft_wrap=True, markup=False)
        command = _command("recover", status.config, "--accept-loss")
        out.print(f"Restore the logs, or: {command}", soft_wrap=True)
    if status.is_older:
        out.print(
            "[yellow]An earlier version wrote this study.[/yellow] The next run converts its "
            "bookings and its ledger; rows and logs stay as they are."
        )
    for part in status.given_up:
        out.print(
            f"[red]given up by the schedule[/red]: {data(part.label)}; "
            f"{_command('reset', status.config)}",
            soft_wrap=True,
        )
    if status.not_in_design:
        out.print(f"{len(status.not_in_design)} stored partitions are not in the current design:")
        for part in status.not_in_design:
            out.print(f"  {data(part.label)}", soft_wrap=True)


def _partial(status: "StudyStatus") -> str:
    """What the policy leaves out, and how to call all of it."""
    parts = [f"{status.items:,} of {counted(status.design_items, 'item')}"]
    if status.replications < status.design_replications:
        replications = counted(status.design_replications, "replication")
        parts.append(f"{status.replications} of {replications}")
    return (
        f"Policy {status.policy} takes {' and '.join(parts)}. All: budget.policy: full-interactive"
        " in the YAML, or --policy full-interactive"
    )


def _first_rows(view: View, most: int, where: str) -> None:
    """The first rows of a table, how many more there are, and where."""
    show(replace(view, rows=view.rows[:most]))
    if len(view.rows) > most:
        more = f"{view.title}: {len(view.rows) - most:,} more rows; {where}"
        out.print(more, soft_wrap=True)


def _spent(status: "StudyStatus") -> str:
    is_whole = all(log.is_booked for log in status.unread)
    return "spent" if is_whole else "booked: more was spent, see below"


def _command(*arguments: str) -> str:
    return data(how_to_call("itemeval-assets", *arguments))


def quickstart_summary(summary: "QuickstartSummary") -> None:
    """The quickstart's result: that of its run, its study file, and what opens its logs."""
    run_summary(summary.run)
    view = data(how_to_call("inspect", "view", "--log-dir", summary.logs))
    out.print(f"Study: {data(summary.config)}", soft_wrap=True)
    out.print(f"Look at every call:  {view}", soft_wrap=True)


def release_summary(summary: "Release") -> None:
    """What was published, where, and how to read it."""
    if not summary.is_new:
        out.print(f"Nothing has changed since {summary.version}: nothing was published.")
    else:
        out.print(f"[bold]{data(summary.study)} {summary.version}[/bold] is published.")
    out.print(f"  {data(summary.uri)}", soft_wrap=True)
    out.print(f"{summary.events} grading events of {summary.cells} cells.")
    if summary.missing:
        out.print(
            f"[yellow]{summary.missing} cells have no valid grading event[/yellow]; the frame "
            "errors lists them."
        )
    command = _command("experiments", "show", summary.study, "--bucket", summary.bucket)
    out.print(f"Look at it:  {command}", soft_wrap=True)


def was_reset(partitions: "list[NamedPartition]") -> None:
    """The partitions whose attempts were forgotten."""
    if not partitions:
        out.print("Nothing to reset: the schedule has counted no attempt.")
    for part in partitions:
        out.print(f"the schedule will run it again: {data(part.label)}", soft_wrap=True)


def written(path: "Path | str") -> None:
    """The file that was written besides."""
    out.print(f"  {data(path)}", soft_wrap=True)


def created(files: list[Path], folder: Path) -> None:
    """What `init` made, and the command to go on with."""
    for path in files:
        out.print(f"  {data(path)}", soft_wrap=True)
    out.print(f"Run it:  {_command('run', str(folder / 'study.yaml'))}", soft_wrap=True)
