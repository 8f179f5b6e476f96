"""Commands that start something: a project, a first study, a page in the browser."""

from pathlib import Path
from typing import Annotated

import typer

from . import late
from .options import AsJson, Config
from .studies import end_of_run


def init(
    folder: Annotated[Path, typer.Argument(help="folder of the new project")],
    as_json: AsJson = False,
) -> None:
    """Make a project: a study that runs at once, with prompts, data and all that Dagster needs."""
    late.report.print_result(
        as_json, late.project.init(folder), lambda made: late.report.created(made, folder)
    )


def schema() -> None:
    """Print the JSON Schema of study files, by which editors complete and check them."""
    print(late.project.schema_text(), end="")


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
    end_of_run(as_json, summary.run)
