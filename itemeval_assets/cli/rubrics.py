"""`itemeval-assets rubrics`: rubrics that models have written, for people to change."""

from pathlib import Path
from typing import Annotated

import typer

from . import late
from .options import AsJson, Config

app = typer.Typer(
    name="rubrics",
    help="Look through the rubrics that models have written for items, and change them.",
    no_args_is_help=True,
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="a .csv, .xlsx or .parquet file", show_default=False)
]


@app.command("export")
def export(config: Config, path: File, as_json: AsJson = False) -> None:
    """Write all rubrics of a study into a file, one row per item."""
    found = late.api.export_rubrics(config, path)
    late.report.print_result(as_json, found, late.report.rubrics_written)


@app.command("import")
def import_(
    config: Config,
    path: File,
    by: Annotated[str, typer.Option(help="who has changed the rubrics", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Take in the rubrics of a file that have another text now."""
    found = late.api.import_rubrics(config, path, by=by, on_note=late.report.remark)
    late.report.print_result(as_json, found, late.report.rubrics_taken)
