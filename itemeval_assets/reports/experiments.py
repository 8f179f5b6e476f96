"""What the terminal shows of published experiments: lists, one run, what was downloaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from .terminal import data, err, out

if TYPE_CHECKING:
    from itemeval_assets.experiments import ExperimentStorageSettings
    from itemeval_assets.experiments.summaries import (
        ExperimentSummary,
        RunDetails,
        RunSummary,
    )

__all__ = ["downloaded", "experiment_list", "nothing_published", "run_list", "run_shown"]

COLOURS = {"complete": "green", "incomplete": "yellow", "failed": "red"}


def experiment_list(found: "list[ExperimentSummary]") -> None:
    """A line per experiment, with its newest run."""
    if not found:
        return
    table = _table("experiments", ("experiment", "versions", "runs", "latest run", "status"))
    for one in found:
        latest = one.latest
        table.add_row(
            data(one.experiment),
            str(one.versions),
            str(one.runs),
            data(f"{latest.version}/{latest.timestamp}"),
            _status(latest),
        )
    out.print(table)


def nothing_published(storage: "ExperimentStorageSettings") -> None:
    """Where no experiment was found, and how to name another place; on standard error."""
    err.print(
        f"No experiment is published in {data(f'{storage.location}/{storage.BUCKET_PREFIX}')}.\n"
        "Name another place with --bucket (a bucket, or ./folder), --prefix, or "
        "SCYTHE_STORAGE_BUCKET. Releases go to the folder experiments beside the study's YAML.",
        soft_wrap=True,
    )


def run_list(found: "list[RunSummary]") -> None:
    """A line per run of one experiment."""
    table = _table(
        found[0].experiment, ("version", "run", "status", "specs", "succeeded", "failed")
    )
    for run in found:
        counts = (run.specs, run.succeeded, run.failed)
        shown = ("?" if count is None else str(count) for count in counts)
        table.add_row(data(run.version), data(run.timestamp), _status(run), *shown)
    out.print(table)


def run_shown(found: "RunDetails") -> None:
    """One run: how it stands, its fields, its files, and what failed."""
    summary = found.summary
    name = f"{summary.experiment}/{summary.version}/{summary.timestamp}"
    out.print(f"[bold]{data(name)}[/bold]: {_status(summary)}{_counts(summary)}", soft_wrap=True)
    out.print(f"  {summary.uri}", soft_wrap=True, markup=False)
    out.print(f"  workflow_run_id {found.manifest['workflow_run_id']}", markup=False)
    _named("inputs", found.inputs)
    _named("outputs", found.outputs)
    _named("results", found.frames)
    for field, uris in found.artifacts.items():
        _named(f"files of {field}", {uri.rpartition("/")[2]: uri for uri in uris})
    if found.failures:
        out.print(_failures(found.failures))


def downloaded(files: list[Path]) -> None:
    """The files that were written."""
    for path in files:
        out.print(f"  {path}", soft_wrap=True, markup=False)
    out.print(f"{len(files)} files.")


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=data(title), title_justify="left", title_style="bold")
    for heading in headings:
        counts = heading in ("versions", "runs", "specs", "succeeded", "failed")
        table.add_column(heading, justify="right" if counts else "left", overflow="fold")
    return table


def _status(run: "RunSummary") -> str:
    colour = COLOURS.get(run.status)
    return f"[{colour}]{run.status}[/{colour}]" if colour else data(run.status)


def _counts(run: "RunSummary") -> str:
    if run.specs is None:
        return ""
    if run.succeeded is None:
        return f", {run.specs} specs"
    return f", {run.specs} specs, {run.succeeded} succeeded, {run.failed} failed"


def _named(title: str, values: Mapping[str, str]) -> None:
    if values:
        out.print(f"{data(title)}:")
    for name, text in values.items():
        out.print(f"  {name}  {text}", soft_wrap=True, markup=False)


def _failures(rows: list[dict[str, Any]]) -> Table:
    table = _table("failed specs", tuple(data(name) for name in rows[0]))
    for row in rows:
        table.add_row(*(data(str(value)) for value in row.values()))
    return table
