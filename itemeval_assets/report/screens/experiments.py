"""What the terminal shows of published experiments: lists, one run, what was downloaded."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ..terminal import data, err, out
from .experiment_lines import count_of, counts_of, named, shortened, spec_line, status_of

if TYPE_CHECKING:
    from itemeval_assets.experiments import ExperimentStorageSettings
    from itemeval_assets.experiments.read.frame_details import FrameDetails
    from itemeval_assets.experiments.read.summaries import ExperimentSummary, RunDetails, RunSummary

__all__ = ["downloaded", "experiment_list", "nothing_published", "run_list", "run_shown"]


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
            status_of(latest),
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
        table.add_row(data(run.version), data(run.timestamp), status_of(run), *shown)
    out.print(table)


def run_shown(found: "RunDetails") -> None:
    """One run: how it stands, its fields, its frames and how to read them, and what failed."""
    summary = found.summary
    name = f"{summary.experiment}/{summary.version}/{summary.timestamp}"
    out.print(
        f"[bold]{data(name)}[/bold]: {status_of(summary)}{counts_of(summary)}", soft_wrap=True
    )
    out.print(data(f"  {summary.uri}"), soft_wrap=True)
    out.print(data(f"  workflow_run_id {found.manifest['workflow_run_id']}"))
    named("inputs", found.inputs)
    named("outputs", found.outputs)
    for field, uris in found.artifacts.items():
        named(f"files of {field}", {uri.rpartition("/")[2]: uri for uri in uris})
    index = _index(found.frames.values())
    named("index of every frame", index)
    for name, frame in found.frames.items():
        _frame(name, frame, index)
    if found.failures:
        _failures(found.failures, summary.failed)


def downloaded(files: list[Path]) -> None:
    """The files that were written."""
    for path in files:
        out.print(data(f"  {path}"), soft_wrap=True)
    out.print(f"{len(files)} files.")


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=data(title), title_justify="left", title_style="bold")
    for heading in headings:
        counts = heading in ("versions", "runs", "specs", "succeeded", "failed")
        table.add_column(heading, justify="right" if counts else "left", overflow="fold")
    return table


def _index(frames: "Iterable[FrameDetails]") -> dict[str, str]:
    """The levels that all frames have: those of the specs."""
    shared: dict[str, str] | None = None
    for frame in frames:
        known = frame.index if shared is None else shared
        shared = {name: kind for name, kind in known.items() if name in frame.index}
    return shared or {}


def _frame(name: str, frame: "FrameDetails", index: Mapping[str, str]) -> None:
    size = f"{count_of(frame.rows, 'row')}, {count_of(len(frame.columns), 'column')}"
    out.print(f"[bold]{data(name)}[/bold]: {size}, {_bytes(frame.size_bytes)}")
    out.print(data(f"  {frame.load}"), soft_wrap=True)
    own = {f"index {level}": kind for level, kind in frame.index.items() if level not in index}
    named("", {**own, **frame.columns})


def _bytes(size: int) -> str:
    """A size as people read it."""
    if size < 1000:
        return f"{size} B"
    power = min(4, (len(str(size)) - 1) // 3)
    return f"{size / 1000**power:.3g} {' kMGT'[power]}B"


def _failures(rows: list[dict[str, Any]], failed: int | None) -> None:
    """The first specs that failed: each with its error, and what the spec was."""
    more = f" (the first {len(rows)} of {failed})" if failed and failed > len(rows) else ""
    out.print(f"failed specs{more}:")
    for row in rows:
        shown = {name: shortened(str(value)) for name, value in row.items()}
        error = ": ".join(shown.pop(name) for name in ("error_type", "message") if name in shown)
        out.print(data(f"  {shown.pop('sort_index', '')}  {error}"), soft_wrap=True)
        out.print(data(f"     {spec_line(shown)}"), soft_wrap=True)
