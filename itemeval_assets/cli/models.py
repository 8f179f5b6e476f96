"""Commands about the models of a study."""

from typing import Annotated

import typer

from . import late
from .options import AsJson, Config

app = typer.Typer()


@app.command()
def redraw(
    config: Config,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would change, and lock nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the models again, from the roster as it is now, and lock it. Makes no call."""
    found = late.api.redraw(config, dry_run=dry_run)
    late.report.print_result(as_json, found, late.report.redrawn)
