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
from typing import Annotated

import typer

from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, Stopped
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.host.garbage import without_collection_at_the_end
from itemeval_assets.measurement.records import MeasurementError

from . import (
    deciding,
    exchange,
    experiments,
    figures,
    late,
    models,
    ratings,
    rubrics,
    starting,
    studies,
)

app = typer.Typer(
    name="itemeval-assets",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (experiments, figures, ratings, rubrics, deciding, models):
    app.add_typer(group.app)
# As help lists them.
for command in (
    starting.init,
    starting.schema,
    studies.run,
    studies.estimate,
    studies.preflight,
    studies.seal,
    studies.status,
    studies.cells,
    studies.recover,
    exchange.import_results,
    studies.reset,
    exchange.export,
    exchange.every_eval,
    exchange.release,
    starting.ui,
    starting.view,
    starting.quickstart,
):
    app.command("import" if command is exchange.import_results else None)(command)


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
