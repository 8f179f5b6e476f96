"""The command line: parse, call one API function, print.

Exit codes, everywhere: 0 done; 1 something failed, or was stopped; 2 the user's input is wrong;
3 consent to spend is missing, or calls were held back; 4 over budget.max_usd; 5 finished, but
some cells of the run errored; 6 the items do not decide what `gate` asks. With --json there is one
JSON document on standard output all the same, which says why.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from itemeval_assets.core.errors import ConfigError, ConsentMissing, ItemevalAssetsError, Stopped
from itemeval_assets.core.tables.cells import CellState
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.host.garbage import without_collection_at_the_end
from itemeval_assets.measurement.records import MeasurementError

from . import deciding as deciding_cli
from . import experiments as experiments_cli
from . import figures as figures_cli
from . import late
from . import models as models_cli
from . import ratings as ratings_cli
from . import rubrics as rubrics_cli
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

__all__ = ["app", "main"]

EXIT_DEAD_MODEL = 1

app = typer.Typer(
    name="itemeval-assets",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(experiments_cli.app)
app.add_typer(figures_cli.app)
app.add_typer(ratings_cli.app)
app.add_typer(rubrics_cli.app)
app.add_typer(deciding_cli.app)
app.add_typer(models_cli.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"itemeval-assets {version('itemeval-assets')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Evaluation of language models as measurement: a study in one YAML file, one row per
    grading event.
    """


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder of the new project")],
    as_json: AsJson = False,
) -> None:
    """Make a project: a study that runs at once, with prompts, data and all that Dagster needs."""
    late.report.print_result(
        as_json, late.project.init(folder), lambda made: late.report.created(made, folder)
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files, by which editors complete and check them."""
    print(late.project.schema_text(), end="")


@app.command()
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
        agreed = None if as_json else late.report.ask_consent(refusal)
        if agreed is None:
            raise
        summary = with_consent(agreed)
    late.report.print_result(as_json, summary, lambda ended: late.report.run_summary(ended, warned))
    _end(as_json, summary)


@app.command()
@with_groups
def estimate(config: Config, asked: Run, as_json: AsJson = False) -> None:
    """Show the calls and the cost of a run. Makes no call."""
    found = late.api.estimate(config, **asked.words)
    late.report.print_result(as_json, found, late.report.study_estimate)


@app.command()
@with_groups
def preflight(config: Config, consent: Consent, as_json: AsJson = False) -> None:
    """Make one tiny call to each model: is it ok, dead or unverified?"""
    found = late.api.preflight(config, max_usd=consent.usd)
    late.report.print_result(as_json, found, late.report.preflight)
    if any(health.verdict == "dead" for health in found):
        raise typer.Exit(EXIT_DEAD_MODEL)


@app.command()
def seal(config: Config, as_json: AsJson = False) -> None:
    """Write down design, hypotheses and decision rule, with their hash. Makes no call."""
    late.report.print_result(as_json, late.api.seal(config), late.report.seal_state)


@app.command()
def status(config: Config, policy: PolicyOption = None, as_json: AsJson = False) -> None:
    """Show how many cells of each condition are done. Makes no call."""
    late.report.print_result(
        as_json, late.api.status(config, policy=policy), late.report.study_status
    )


@app.command()
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


@app.command()
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


@app.command("import")
def import_results(
    path: Annotated[
        str,
        typer.Argument(help="itemeval study, .eval logs, or table of answers; only read"),
    ],
    config: Config,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would come in, and what not; store nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in an itemeval study, logs of a task, or a table of answers: nothing is paid again."""
    found = late.api.import_results(path, config, dry_run=dry_run, on_note=late.report.remark)
    late.report.print_result(as_json, found, late.report.import_summary)


@app.command()
@with_groups
def reset(
    config: Config, selected: Selected, only: OnlyOption = None, as_json: AsJson = False
) -> None:
    """Forget failed attempts, so that the schedule runs the partitions again that it gave up."""
    found = late.api.reset(config, only=only, **selected.words)
    late.report.print_result(as_json, found, late.report.was_reset)


@app.command()
def export(
    config: Config,
    for_spreadsheets: Annotated[
        bool,
        typer.Option("--for-spreadsheets", help="add CSV files that a spreadsheet can open safely"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write export/ again: gradings_long and cells as Parquet and CSV, the ledger as CSV."""
    result = late.api.export(config, for_spreadsheets=for_spreadsheets)
    late.report.print_result(as_json, result, late.report.export_result)


@app.command()
def every_eval(
    config: Config,
    organization: Annotated[
        str, typer.Option(help="the name of yours, which the records give", show_default=False)
    ],
    relationship: Annotated[
        Literal["first_party", "third_party", "collaborative", "other"],
        typer.Option(help="what yours is to those who made the models"),
    ] = "third_party",
    without_rows: Annotated[
        bool, typer.Option("--without-rows", help="leave out questions, targets and answers")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the results as records of Every Eval Ever: for each model a document, and its rows."""
    found = late.api.every_eval(
        config, organization, relationship=relationship, without_rows=without_rows
    )
    late.report.print_result(as_json, found, late.report.every_eval)


@app.command()
def release(
    config: Config,
    version: Annotated[
        str | None,
        typer.Option(
            help="bumpmajor, bumpminor, bumppatch, or 1.2.0; default: depends on what changed"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the study as a new version of the experiment with its name."""
    late.report.print_result(
        as_json, late.api.release(config, version=version), late.report.release_summary
    )


@app.command()
def ui(
    config: Annotated[
        list[Path] | None, typer.Argument(help="studies to show; default: all that are found here")
    ] = None,
    port: Annotated[
        int, typer.Option(help="port on 127.0.0.1; 0: any free port", min=0, max=65535)
    ] = 3000,
    open_page: Annotated[
        bool, typer.Option("--open", help="open the page of the first study in the browser")
    ] = False,
) -> None:
    """Start Dagster's web UI on 127.0.0.1, with the studies and the history of this project."""
    late.ui_command.serve_ui(config or [], port, open_page=open_page)


@app.command()
def view(
    config: Config,
    port: Annotated[int, typer.Option(help="port on 127.0.0.1", min=1, max=65535)] = 7575,
    open_page: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
    only_write: Annotated[
        bool, typer.Option("--only-write", help="write the logs, and start no viewer")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start inspect_ai's viewer on the logs of a study, with all verdicts as scores."""
    if as_json and not only_write:
        raise typer.BadParameter("--json needs --only-write: a viewer prints lines of its own")
    found = late.api.scored_logs(config)
    late.report.print_result(as_json, found, late.report.scored_logs)
    if not only_write:
        late.viewer.serve_logs(found.folder, port, open_page=open_page)


@app.command()
def quickstart(
    folder: Annotated[
        Path | None, typer.Argument(help="folder of the study; default: ./quickstart")
    ] = None,
    mock: Annotated[
        bool, typer.Option("--mock", help="use mock models: it takes seconds, not minutes")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a small real study with SmolLM2-135M on this machine: no key, no network."""
    with late.report.progress_bar(hidden=as_json) as on_progress:
        summary = late.project.quickstart(folder, mock=mock, on_progress=on_progress)
    late.report.print_result(as_json, summary, late.report.quickstart_summary)
    _end(as_json, summary.run)


def main() -> None:
    """Entry point of the console script."""
    with without_collection_at_the_end():
        code = run_cli(sys.argv[1:])
    sys.exit(code)


def run_cli(arguments: list[str]) -> int:
    """Run one command; the exit code. A user's mistake is a message, never a traceback."""
    as_json = "--json" in arguments
    try:
        _require_folder()
        # Not app(arguments): that makes a silent exit of Ctrl-C.
        command = typer.main.get_command(app)
        with command.make_context("itemeval-assets", [*arguments]) as context:
            command.invoke(context)
        return 0
    except typer.Exit as stop:
        return stop.exit_code
    except ItemevalAssetsError as error:
        return _failed(as_json, error, str(error), error.exit_code, error.facts)
    except MeasurementError as error:
        return _failed(as_json, error, str(error), error.exit_code)
    except (KeyboardInterrupt, EOFError, typer.Abort):
        stopped = Stopped()
        return _failed(as_json, stopped, str(stopped), stopped.exit_code)
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        # Where no command was named, the help is printed.
        message = (message or "name a command") + _command_meant(message, arguments)
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "itemeval-assets"
        return _failed(as_json, error, f"{message}; see {command} --help", 2)
    except Exception as error:
        if as_json:
            _failed(as_json, error, without_secrets(str(error), os.environ), 1)
        raise


def _command_meant(message: str, arguments: list[str]) -> str:
    """How a study is run that stands in the place of a command; empty for other words."""
    named = arguments[0] if arguments and message.startswith("No such command") else ""
    is_study = named.lower().endswith((".yaml", ".yml")) or (named and Path(named).is_file())
    return f"; did you mean: itemeval-assets run {shlex.quote(named)}" if is_study else ""


def _require_folder() -> None:
    """Raise ConfigError where the current folder is gone: packages look for it as they load."""
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError(
            "the current folder is gone, or may not be read: change to another one (`cd`)"
        ) from error


def _end(as_json: bool, summary: "RunSummary") -> None:
    """Exit with the code of a run; its summary has said why."""
    if summary.reason is not None:
        if as_json:
            late.report.problem(summary.reason)
        raise typer.Exit(summary.exit_code)


def _failed(
    as_json: bool,
    error: Exception,
    message: str,
    exit_code: int,
    facts: Mapping[str, float] | None = None,
) -> int:
    """Say why a command failed, on standard error; with --json on standard output, too."""
    if as_json:
        said = {"error": type(error).__name__, "message": message, "exit_code": exit_code}
        late.report.print_result(True, {**said, **(facts or {})}, late.report.problem)
    late.report.problem(message)
    return exit_code
