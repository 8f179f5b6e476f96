"""What the terminal shows of a study: the completion matrix, the spend, the files."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.money.losses import losses_words
from itemeval_assets.core.records.batches import (
    can_be_collected,
    can_be_given_up,
    waiting_words,
)
from itemeval_assets.core.records.unread import can_be_recovered, unread_words
from itemeval_assets.core.text.labels import labels_in
from itemeval_assets.core.text.words import counted, dollars

from ..render.terminal_table import show
from ..terminal import command, data, out, paragraph
from ..views import COMPLETION, View, spend_view
from .models import samples
from .money import mocks_are_free

if TYPE_CHECKING:
    from itemeval_assets.core.design.partitions import NamedPartition
    from itemeval_assets.core.records.published.releases import Release
    from itemeval_assets.core.records.published.seals import SealState
    from itemeval_assets.stages.every_eval.writing import EveryEval
    from itemeval_assets.stages.export import ExportResult
    from itemeval_assets.stages.views.scored_logs import ScoredLogs
    from itemeval_assets.stages.views.status import StudyStatus

# Of a table at the end of a run; commands that only read print all.
MOST_ROWS = 40


def export_result(result: "ExportResult") -> None:
    """Spend per model with what was saved, and where the exported files are."""
    if result.spend:
        _first_rows(spend_view(result.spend), MOST_ROWS, "the ledger has all")
        mocks_are_free(spend.model for spend in result.spend if spend.usd)
    out.print(f"{result.rows} grading events; the ledger adds up to {dollars(result.usd)}.")
    for path in result.paths.values():
        out.print(f"  {data(path)}", soft_wrap=True)


def every_eval(found: "EveryEval") -> None:
    """How many records were written, and where; what is not in them, and who checked them."""
    out.print(
        f"{counted(found.records, 'record')} of Every Eval Ever with"
        f" {counted(found.results, 'result')} and {counted(found.rows, 'row')}:"
    )
    out.print(f"  {data(found.folder)}", soft_wrap=True)
    for said in found.words:
        paragraph(said)


def study_status(status: "StudyStatus") -> None:
    """The completion matrix: a table of generate conditions and one of gradings."""
    completion(status)
    mocks_are_free(status.spent_on)


def completion(status: "StudyStatus", most: int | None = None) -> None:
    """How the study stands, as far as anything is to be done. `most`: rows of each table."""
    out.print(
        f"[bold]{data(status.study)}[/bold]: "
        f"{counted(status.items, 'item')} x {counted(status.replications, 'replication')}, "
        f"policy {status.policy}, {dollars(status.usd)} {_spent(status)}"
    )
    samples(status)
    if status.is_partial:
        paragraph(_partial(status))
    for note in status.notes:
        paragraph(note)
    tables = {
        "solutions": status.generate,
        "item_rubrics": status.rubrics,
        "gradings": status.grade,
    }
    for title, parts in tables.items():
        if parts or title != "item_rubrics":
            view = View(title, COMPLETION, parts)
            _first_rows(view, most or len(parts), command("status", status.config))
    _of_people(status)
    if status.unmetered:
        out.print(
            f"[yellow]Replies of {data(', '.join(status.unmetered))} have no token counts, or "
            "impossible ones[/yellow]: their usd is null, and budget.max_usd counts the most that "
            "they may have cost."
        )
    for words in unread_words(status.unread):
        out.print(data(f"{words[0].upper()}{words[1:]}."), style="yellow", soft_wrap=True)
    if can_be_recovered(status.unread):
        out.print(f"Recover them: {command('recover', status.config)}", soft_wrap=True)
    _batches(status)
    if status.lost:
        out.print("[red]Paid calls with neither a row nor a log left:[/red]")
        out.print(data(losses_words(status.lost)), soft_wrap=True)
        accept = command("recover", status.config, "--accept-loss")
        out.print(f"Restore the logs, or: {accept}", soft_wrap=True)
    if status.is_older:
        out.print(
            "[yellow]An earlier version wrote this study.[/yellow] The next run converts its "
            "bookings and its ledger; rows and logs stay as they are."
        )
    for part in status.given_up:
        out.print(
            f"[red]given up by the schedule[/red]: {data(part.label)}; "
            f"{command('reset', status.config)}",
            soft_wrap=True,
        )
    if status.not_in_design:
        out.print(f"{len(status.not_in_design)} stored partitions are not in the current design:")
        for part in status.not_in_design:
            out.print(f"  {data(part.label)}", soft_wrap=True)


def seal_state(state: "SealState") -> None:
    """What was sealed and when, and what to do with the hash."""
    for words in state.words:
        paragraph(words)
    if not state.is_new:
        out.print("Nothing has changed since the last seal: no other was written.")
        return
    out.print(f"Written to {data(state.uri)}", soft_wrap=True)
    paragraph(
        "Keep the hash where others see the date, as in a registration or a message. Whoever has "
        "it can tell that the plan of a release is this one."
    )


def _of_people(status: "StudyStatus") -> None:
    """Who grades what no run does."""
    waiting = [part for part in status.grade if part.by_people and part.missing + part.stale]
    raters = dict.fromkeys(labels_in(part.label, part.partition)[1] for part in waiting)
    if raters:
        paragraph(
            f"{', '.join(raters)}: rated by people, and no run grades what is missing there. A "
            "sheet for them: itemeval-assets ratings sheet"
        )


def _batches(status: "StudyStatus") -> None:
    """What is in batches, and what to do about it."""
    for words in waiting_words(status.batches):
        out.print(data(f"{words[0].upper()}{words[1:]}."), style="yellow", soft_wrap=True)
    if can_be_collected(status.batches):
        out.print(f"Collect them: {command('run', status.config)}", soft_wrap=True)
    if can_be_given_up(status.batches):
        give_up = command("recover", status.config, "--accept-loss")
        out.print(f"To wait for these no more: {give_up}", soft_wrap=True)


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
    look = command("experiments", "show", summary.study, "--bucket", summary.bucket)
    out.print(f"Look at it:  {look}", soft_wrap=True)


def was_reset(partitions: "list[NamedPartition]") -> None:
    """The partitions whose attempts were forgotten."""
    if not partitions:
        out.print("Nothing to reset: the schedule has counted no attempt.")
    for part in partitions:
        out.print(f"the schedule will run it again: {data(part.label)}", soft_wrap=True)


def written(path: "Path | str") -> None:
    """The file that was written besides."""
    out.print(f"  {data(path)}", soft_wrap=True)


def scored_logs(found: "ScoredLogs") -> None:
    """Where the copies of the logs lie."""
    out.print(f"{counted(found.logs, 'log')} with scores, {found.written} of them written now:")
    written(found.folder)


def created(files: list[Path], folder: Path) -> None:
    """What `init` made, and the command to go on with."""
    for path in files:
        out.print(f"  {data(path)}", soft_wrap=True)
    out.print(f"Run it:  {command('run', str(folder / 'study.yaml'))}", soft_wrap=True)
