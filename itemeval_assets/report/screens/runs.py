"""What the terminal shows at the end of a run: what it did, the scores, troubles, how to go on."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from itemeval_assets.core.money.losses import losses_words
from itemeval_assets.core.text.words import dollars
from itemeval_assets.host.installation import how_to_call

from ..figures import scores
from ..render.document import print_document
from ..terminal import command, data, out, paragraph
from .results import MOST_ROWS, completion, export_result

if TYPE_CHECKING:
    from itemeval_assets.core.records.failures import FailedCheck
    from itemeval_assets.project import QuickstartSummary
    from itemeval_assets.runs.summary import RunSummary

_MOST_LISTED = 3
_NEXT = {
    "compare": "which is better, by how much and how sure",
    "items": "which questions are odd, and why",
    "report": "all of it as a web page",
    "ui": "the study in Dagster",
}


def run_summary(summary: "RunSummary", told: Collection[str] = ()) -> None:
    """What a run did: how the study stands, the calls and dollars of this run, the files.

    `told`: notes that were warnings before the calls. They are not repeated.
    """
    completion(summary.status, MOST_ROWS)
    _calls(summary)
    for note in summary.notes:
        if note not in told:
            out.print(data(f"Note: {note}."), soft_wrap=True)
    _older_calls(summary)
    if summary.scores and summary.export.rows:
        print_document(scores(summary.scores))
        if all(row.mean is None for row in summary.scores.rows):
            out.print(f"See why: {command('cells', summary.status.config)}", soft_wrap=True)
    elif summary.export.rows:
        out.print(f"Scores: {command('scores', summary.status.config)}", soft_wrap=True)
    _troubles(summary)
    export_result(summary.export)
    if summary.export.rows:
        _next_steps(summary.status.config)


def _calls(summary: "RunSummary") -> None:
    """The calls of this run."""
    if summary.calls:
        cached = f", {summary.cached} of them from the response cache" if summary.cached else ""
        out.print(f"This run: {summary.calls} calls{cached}, {dollars(summary.usd)}.")
    else:
        since = f" The results last changed at {summary.changed_at}." if summary.changed_at else ""
        # A run of Dagster that called nobody may have read logs, or graded by scorers.
        pending = "" if summary.run_ids else "nothing was pending, "
        paragraph(f"This run: {pending}no model was called.{since}")


def _older_calls(summary: "RunSummary") -> None:
    """What was made of calls of other runs."""
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
        out.print(data(f"Checks that failed: {failed}"), soft_wrap=True)
    if summary.missing:
        out.print(
            f"[yellow]{summary.missing} of the cells of this run have no result[/yellow]. See why: "
            f"{command('cells', config)}; call them: {command('run', config)}",
            soft_wrap=True,
        )
    for one in summary.unparsed:
        replies = "1 reply" if one.replies == 1 else f"{one.replies:,} replies"
        out.print(
            f"[yellow]{one.unparsed:,} of {replies} of {data(one.graded_by)} could "
            f"not be parsed ({one.unparsed / one.replies:.0%})[/yellow]"
            f"{f', most often: {data(one.why)}' if one.why else ''}. See them: "
            f"{command('cells', config, '--state', 'unparsed')}; the replies: "
            f"{command('show', config, 'ITEM')}",
            soft_wrap=True,
        )
    if summary.reason:
        out.print(data(summary.reason), style="red", soft_wrap=True)


def _next_steps(config: str) -> None:
    """Commands to go on with, each with what it tells."""
    out.print("[bold]next[/bold]")
    longest = max(map(len, _NEXT))
    for name, tells in _NEXT.items():
        gap = " " * (longest - len(name))
        out.print(f"  {command(name, config)}{gap}  [dim]{tells}[/dim]", soft_wrap=True)


def _listed(failed: "list[FailedCheck]") -> str:
    more = f"; and {len(failed) - _MOST_LISTED} more" if len(failed) > _MOST_LISTED else ""
    first = failed[:_MOST_LISTED]
    return "; ".join(f"{one.check} of {one.asset}: {one.label}" for one in first) + more


def quickstart_summary(summary: "QuickstartSummary") -> None:
    """The quickstart's result: that of its run, its study file, and what opens its logs."""
    run_summary(summary.run)
    view = data(how_to_call("inspect", "view", "--log-dir", summary.logs))
    out.print(f"Study: {data(summary.config)}", soft_wrap=True)
    out.print(f"Look at every call:  {view}", soft_wrap=True)
