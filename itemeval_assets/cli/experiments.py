"""`itemeval-assets experiments`: what is published in a bucket or folder, shown and copied."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import late
from .options import AsJson

if TYPE_CHECKING:
    from itemeval_assets.experiments import BaseExperiment

__all__ = ["app"]

app = typer.Typer(
    name="experiments",
    help="Show and copy published experiments.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="the experiment's folder", show_default=False)]
Version = Annotated[str | None, typer.Option(help="such as v1.0.0; default: the highest version")]
Run = Annotated[
    str | None, typer.Option(help="such as 2025-07-23_12-59-51; default: the newest run")
]
Bucket = Annotated[
    str | None, typer.Option(help="a bucket, or a folder as ./name; default: SCYTHE_STORAGE_BUCKET")
]
Prefix = Annotated[
    str | None, typer.Option(help="start of all keys; default: SCYTHE_STORAGE_BUCKET_PREFIX")
]
VERSION_OR_RUN = (
    "a version such as v1.0.0 (its newest run with results), or v1.0.0/2025-07-23_12-59-51"
)


@app.command("list")
def list_(
    name: Annotated[
        str | None, typer.Argument(help="list the runs of this experiment", show_default=False)
    ] = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
) -> None:
    """List all experiments, or the versions and runs of one."""
    if name is None:
        storage = late.experiments.storage_settings(bucket, prefix)
        found = late.experiments.summarize_experiments(storage)
        if not found:
            late.experiment_report.nothing_published(storage)
        late.report.print_result(as_json, found, late.experiment_report.experiment_list)
    else:
        late.report.print_result(
            as_json,
            late.experiments.summarize_runs(_experiment(name, bucket, prefix)),
            late.experiment_report.run_list,
        )


@app.command()
def show(
    name: Name,
    version: Version = None,
    run: Run = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
) -> None:
    """Show a run: its state, fields, files and failed specs."""
    found = late.experiments.find_run(_experiment(name, bucket, prefix), version, run)
    late.report.print_result(
        as_json, late.experiments.run_details(found), late.experiment_report.run_shown
    )


@app.command()
def compare(
    name: Name,
    before: Annotated[str, typer.Argument(help=VERSION_OR_RUN, show_default=False)],
    after: Annotated[
        str, typer.Argument(help="the version or run to compare it with", show_default=False)
    ],
    bucket: Bucket = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions or runs: their fields, and the rows that differ."""
    experiment = _experiment(name, bucket, prefix)
    late.report.print_result(
        as_json,
        late.experiments.compare_versions(experiment, before, after),
        late.comparison.compared,
    )


@app.command()
def download(
    name: Name,
    version: Version = None,
    run: Run = None,
    to: Annotated[
        Path | None, typer.Option(help="target folder; default: ./NAME/VERSION/RUN")
    ] = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
) -> None:
    """Copy a run into a folder, as it is published."""
    found = late.experiments.find_run(_experiment(name, bucket, prefix), version, run)
    late.report.print_result(
        as_json, found.download(to or Path(found.experiment_id)), late.experiment_report.downloaded
    )


def _experiment(name: str, bucket: str | None, prefix: str | None) -> "BaseExperiment[Any, Any]":
    storage = late.experiments.storage_settings(bucket, prefix)
    return late.experiments.BaseExperiment(name, storage_settings=storage)
