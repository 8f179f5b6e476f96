"""Which version a release gets: as asked for, or by what changed since the release before."""

from typing import Any, get_args

import pyarrow.parquet as pq

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.published.releases import Bump, PartitionContent, required_bump
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.experiments import BaseExperiment, ExperimentRun, SemVer
from itemeval_assets.experiments.frames.reading import readable
from itemeval_assets.storage.study.store import ResultsStore

from .content import IDENTITY, Contents, partition_rows, tuples_of

# What a release holds, for the next one to compare itself with.
RECORD = "release.json"


def asked_version(text: str | None) -> Any:
    """A bump or a SemVer; None for no text. Raises StoreError for what cannot be either."""
    if text is None or text in get_args(Bump):
        return text
    if text.startswith("bump"):
        there_are = ", ".join(get_args(Bump))
        raise StoreError(f"version: there is no {text!r}; there are: {there_are}")
    try:
        return SemVer.FromString(text)
    except ValueError as error:
        raise StoreError(f"version: {error}") from error


def needed_bump(
    experiment: BaseExperiment, study: Study, store: ResultsStore, contents: Contents
) -> Bump | None:
    """How much the version must rise from the latest one to `contents`; None: nothing changed."""
    latest = experiment.latest_version()
    if latest is None:
        return "bumpmajor"
    run = latest.latest_run
    before = _read_record(run)
    if before is None:
        return "bumpmajor"  # what another program published under this name

    def has_lost_cells(name: str) -> bool:
        part = partition_rows(study, store, Partition(name.split("|")))
        return bool(_released_cells(run, name) - set(tuples_of(part.cells, IDENTITY)))

    return required_bump(before, contents, has_lost_cells)


def record_of(study: Study, contents: Contents) -> dict[str, Any]:
    """The record of a release."""
    return {
        "study": study.name,
        "config_sha256": study.config_sha256,
        "partitions": {name: found._asdict() for name, found in contents.items()},
    }


def _read_record(run: ExperimentRun) -> Contents | None:
    """What a published release holds; None for a run that is no release of ours. StoreError."""
    key = f"{run.prefix}/{RECORD}"
    data = run.backend.read(key)
    if data is None:
        return None
    try:
        partitions: dict[str, Any] = load_json(data)["partitions"]
        return {name: PartitionContent(**content) for name, content in partitions.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{run.backend.uri(key)} is no record of a release; restore it, or delete its run"
        ) from error


def _released_cells(run: ExperimentRun, name: str) -> set[tuple[Any, ...]]:
    """The cells of one partition in a published release. Reads it batch by batch."""
    conditions = Partition(name.split("|"))
    found: set[tuple[Any, ...]] = set()
    columns = [*IDENTITY, "gen_condition_id", "grade_condition_id"]
    specs = run.place.specs
    copy = run.backend.local_copy(specs)
    with readable(run.backend.uri(specs)), pq.ParquetFile(copy) as file:
        for batch in file.iter_batches(columns=columns, use_threads=False):
            found |= {row[:-2] for row in tuples_of(batch, columns) if row[-2:] == conditions}
    return found
