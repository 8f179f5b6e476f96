"""The results of a release: its frames, written partition by partition, and the logs they name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.published.hub_card import HUB_TABLES, hub_key
from itemeval_assets.core.tables.schemas import ITEM_RUBRICS, LEDGER, SOLUTIONS
from itemeval_assets.experiments import ExperimentRun
from itemeval_assets.experiments.frames.writing import FrameFiles
from itemeval_assets.experiments.outputs.survey import SCALARS
from itemeval_assets.experiments.publish.publication import store_result
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.scores.records import Score
from itemeval_assets.stages.figures.scores.scores import score_of
from itemeval_assets.storage.objects.scratch import scratch_folder
from itemeval_assets.storage.study.store import ResultsStore

from .content import (
    Contents,
    PartitionRows,
    content_of,
    count_cells,
    ledgers_of,
    partition_rows,
    rubrics_of,
    solutions_of,
)
from .frames import LOG_COLUMNS, Frames

Say = Callable[[str], None]


@dataclass(frozen=True)
class Draft:
    """A release in the making: `contents` of a study, published as `run` by the run `run_id`."""

    study: Study
    store: ResultsStore
    contents: Contents
    run: ExperimentRun
    run_id: str
    say: Say


@dataclass
class Written:
    """What was seen while the frames were written.

    `missing` counts cells without a sound grading event; `run_ids` are those of the runs behind
    the rows; `scores` of each partition; `others_usd` is what conditions have cost that are
    not in the design any more.
    """

    files: FrameFiles
    missing: int = 0
    others_usd: float = 0.0
    run_ids: set[str] = field(default_factory=set)
    scores: list[Score] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return self.files.rows["specs"]

    @property
    def rows(self) -> dict[str, int]:
        """Rows by frame of results."""
        return {name: rows for name, rows in self.files.rows.items() if name != "specs"}


def publish_results(draft: Draft) -> Written:
    """Publish the logs, and then the specs and the frames.

    Raises StoreError when rows are no longer those of the draft, or when there are none.
    """
    run = draft.run
    with scratch_folder() as folder:
        written = _write_frames(draft, folder)
        for name, path in written.files.files.items():
            key = run.place.specs if name == "specs" else run.place.final_file(name)
            if name in HUB_TABLES:
                run.backend.upload(path, f"{run.prefix}/{hub_key(name)}")
            run.backend.upload(path, key, give_away=True)
    return written


def _write_frames(draft: Draft, folder: Path) -> Written:
    study, store = draft.study, draft.store
    count, log_uris = count_cells(draft.contents), {}
    with FrameFiles(folder, "zstd") as files:
        written = Written(files)
        planned = PlannedCells(study, store, store.read("items"))
        frames = Frames(files, draft.run.experiment_id, draft.run_id, count)
        for partition in study.grade_partitions():
            part = partition_rows(study, store, partition)
            _require_unchanged(draft, "|".join(partition), part)
            _publish_logs(draft, part.rows, log_uris)
            frames.add(part, log_uris)
            written.missing += part.flaws.num_rows
            written.scores.append(score_of(planned, partition, part.states))
            for column in ("gen_run_id", "grade_run_id"):
                written.run_ids |= set(part.rows[column].unique().to_pylist()) - {None}
        for generate in study.generate_partitions():
            frames.add_table(SOLUTIONS, solutions_of(study, store, generate))
        for written_by in study.rubric_partitions():
            frames.add_table(ITEM_RUBRICS, rubrics_of(study, store, written_by))
        spent, written.others_usd = ledgers_of(study, store)
        frames.add_table(LEDGER, spent)
    if not written.rows.get(SCALARS):
        raise StoreError(
            f"study {study.name} has no grading event of its design; run it, then release it"
        )
    return written


def _require_unchanged(draft: Draft, name: str, part: PartitionRows) -> None:
    if content_of(part) != draft.contents[name]:
        raise StoreError(
            f"partition {name} changed while it was released: a run is writing it. "
            "Nothing was published; release again when no run is in progress"
        )


def _publish_logs(draft: Draft, rows: pa.Table, uris: dict[str, str]) -> None:
    """Copy the logs that the rows name, each once; `uris` learns where they are."""
    for field_name, column in LOG_COLUMNS.items():
        for key in rows[column].unique().to_pylist():
            if key is None or key in uris:
                continue
            log = draft.store.backend.local_copy(key)
            uris[key] = store_result(draft.run, field_name, log.stem, log)
            draft.say(f"published log {len(uris)}: {log.name}")
