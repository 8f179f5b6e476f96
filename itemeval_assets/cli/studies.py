"""Commands that run a study, and those that say how far it is."""

from typing import TYPE_CHECKING, Annotated

import typer

from itemeval_assets.core.errors import ConsentMissing
from itemeval_assets.core.tables.cells import CellState

from . import late
from .options import (
    AsJson,
    Config,
    Consent,
    OnlyOption,
    Output,
    PolicyOption,
    Run,
    Selected,
    with_groups,
)

if TYPE_CHECKING:
    from itemeval_assets.runs.summary import RunSummary

EXIT_DEAD_MODEL = 1


@with_groups
def run(
    config: Config,
    asked: Run,
    consent: Consent,
    workers: Annotated[int, typer.Option(help="number of processes", min=1)] = 1,
    as_json: AsJson = False,
) -> None:
    """Make the calls that are missing, failed or outdated, and show the state of the study."""
    # Once: consent is to what the refusal was about, whatever is edited meanwhile.
    study = late.api.with_task(config)
    warned = list[str]()

    def with_consent(usd: float | None) -> "RunSummary":
        with late.report.progress_bar(as_json, warned) as on_progress:
            return late.api.run(
                study,
                max_usd=usd,
                workers=workers,
                on_progress=on_progress,
                **asked.words,
            )

    try:
        summary = with_consent(consent.usd)
    except ConsentMissing as refusal:
        # Who has said yes is not asked for more than the ceiling beside it.
        agreed = None if as_json or consent.yes else late.report.ask_consent(refusal)
        if agreed is None:
            raise
        summary = with_consent(agreed)
    late.report.print_result(as_json, summary, lambda ended: late.report.run_summary(ended, warned))
    end_of_run(as_json, summary)


@with_groups
def estimate(config: Config, asked: Run, as_json: AsJson = False) -> None:
    """Show the calls and the cost of a run. Makes no call."""
    found = late.api.estimate(config, **asked.words)
    late.report.print_result(as_json, found, late.report.study_estimate)


@with_groups
def preflight(config: Config, consent: Consent, as_json: AsJson = False) -> None:
    """Make one tiny call to each model: is it ok, dead or unverified?"""
    found = late.api.preflight(config, max_usd=consent.usd)
    late.report.print_result(as_json, found, late.report.preflight)
    if any(health.verdict == "dead" for health in found):
        raise typer.Exit(EXIT_DEAD_MODEL)


def seal(config: Config, as_json: AsJson = False) -> None:
    """Write down design, hypotheses and decision rule, with their hash. Makes no call."""
    late.report.print_result(as_json, late.api.seal(config), late.report.seal_state)


def status(config: Config, policy: PolicyOption = None, as_json: AsJson = False) -> None:
    """Show how many cells of each condition are done. Makes no call."""
    late.report.print_result(
        as_json, late.api.status(config, policy=policy), late.report.study_status
    )


@with_groups
def cells(
    config: Config,
    selected: Selected,
    state: Annotated[
        list[CellState] | None, typer.Option(help="list the cells that are in this state")
    ] = None,
    policy: PolicyOption = None,
    *,
    output: Output,
) -> None:
    """Count the cells of the design by state, and give the reason of those that are not done."""
    asked = [one.value for one in state or []]
    # A file is to have what a terminal has no room for.
    states = asked or ([one.value for one in CellState] if output.out else [])
    found = late.api.count_cells(config, states=states, policy=policy, **selected.words)
    output.show(config, found, late.report.cell_survey)


def recover(
    config: Config,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="record paid calls as lost if no log and no row of them is left; wait no more for "
            "batches that nobody can collect",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recover finished answers, and what they cost, from the logs of killed runs. Makes no call."""
    late.report.print_result(
        as_json, late.api.recover(config, accept_loss=accept_loss), late.report.run_summary
    )


@with_groups
def reset(
    config: Config, selected: Selected, only: OnlyOption = None, as_json: AsJson = False
) -> None:
    """Forget failed attempts, so that the schedule runs the partitions again that it gave up."""
    found = late.api.reset(config, only=only, **selected.words)
    late.report.print_result(as_json, found, late.report.was_reset)


def end_of_run(as_json: bool, summary: "RunSummary") -> None:
    """Exit with the code of a run; its summary has said why."""
    if summary.reason is not None:
        if as_json:
            late.report.problem(summary.reason)
        raise typer.Exit(summary.exit_code)
