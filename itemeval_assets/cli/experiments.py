"""`itemeval-assets experiments`: what is published in a bucket or folder, shown and copied."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from itemeval_assets.core.errors import StoreError

from . import late
from .options import AsJson

if TYPE_CHECKING:
    from itemeval_assets.experiments import BaseExperiment

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


def told_of_folders(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose bucket that cannot be read may have been meant as a folder."""

    @wraps(command)
    def told(*args: Any, bucket: str | None = None, **options: Any) -> None:
        try:
            command(*args, bucket=bucket, **options)
        except StoreError as error:
            if bucket is None or not bucket[:1].isalnum() or "://" in bucket:
                raise
            raise StoreError(f"{error}; for a folder write ./{bucket}") from error

    return told


@app.command("list")
@told_of_folders
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
@told_of_folders
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
@told_of_folders
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
@told_of_folders
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
