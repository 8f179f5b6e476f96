"""Commands by which results come in from others, and go out to them."""

from typing import Annotated, Literal

import typer

from . import late
from .options import AsJson, Config


def import_results(
    path: Annotated[
        str,
        typer.Argument(help="itemeval study, .eval logs, or table of answers; only read"),
    ],
    config: Config,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would come in, and what not; store nothing")
    ] = False,
    write_config: Annotated[
        bool, typer.Option("--write-config", help="of .eval logs: write CONFIG first, a new file")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in an itemeval study, logs of a task, or a table of answers: nothing is paid again."""
    found = late.api.import_results(
        path,
        config,
        dry_run=dry_run,
        write_config=write_config,
        on_note=late.report.remark,
    )
    late.report.print_result(as_json, found, late.report.import_summary)


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
