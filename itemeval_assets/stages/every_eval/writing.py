"""Write the records of a study below export/: for each model a document, and its rows."""

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.measurement.columns import counted
from itemeval_assets.storage.objects.scratch import NewTexts, scratch_folder
from itemeval_assets.storage.study.layout import EVERY_EVAL
from itemeval_assets.storage.study.manifests import manifests_of
from itemeval_assets.storage.study.store import ResultsStore

from ..export import require_results, require_sound
from ..figures.planned import PlannedCells
from ..figures.scores.records import Score
from ..figures.scores.scores import scores
from .checking import check
from .model import model_id, model_place
from .record import Made, Source, evaluation_id, record_of
from .samples import COLUMNS, items_by_id, least_right, samples_of


@dataclass(frozen=True)
class EveryEval:
    """What was written below `folder`: documents of models, and rows beside them."""

    folder: str
    records: int
    results: int
    rows: int
    words: list[str]


@dataclass
class _Record:
    """The record of one model while it is written; `key` is its place without an ending.

    `rowless`: the graders of whose scores there are no rows.
    """

    model: str
    key: str
    scores: list[Score]
    runs: set[str] = field(default_factory=set)
    graded_at: str = ""
    rows: int = 0
    rowless: set[str] = field(default_factory=set)


def write_records(
    study: Study, store: ResultsStore, source: Source, *, rows: bool = True
) -> EveryEval:
    """Write the records of all models that have a score; remove those of other models.

    `rows`: also one for each score, with question, target and answer. Raises StoreError, and
    writes nothing, when the tables break a rule or hold no score, or a record is not valid.
    """
    require_results(study, store)
    require_sound(study, store)
    planned = PlannedCells(study, store, store.read("items"))
    at = int(time.time())
    with scratch_folder() as folder:
        files = NewTexts(folder)
        made = [_written(planned, one, files, source, at, rows=rows) for one in _records(planned)]
        if not made:
            raise StoreError(f"study {study.name}: no cell has a score: there is nothing to export")
        checked = check(folder, files.keys)
        files.replace(store.backend, EVERY_EVAL)
    return EveryEval(
        store.backend.uri(EVERY_EVAL),
        len(made),
        sum(len(one.scores) for one in made),
        sum(one.rows for one in made),
        [*_words(study, made, rows=rows), checked],
    )


def _records(planned: PlannedCells) -> Iterator[_Record]:
    """The models that have a mean score, in the order of the study."""
    study = planned.study
    for model in study.models:
        generate = {one.id for one in study.design.generate if one.model == model}
        partitions = [one for one in study.grade_partitions() if one.generate in generate]
        found = [score for score in scores(planned, partitions).rows if score.mean is not None]
        if found:
            place = f"data/{study.name}/{model_place(model)}/{_uuid(study.name, model)}"
            yield _Record(model, place, found)


def _uuid(study: str, model: str) -> uuid.UUID:
    """The same each time, so that a record takes the place of the one before it."""
    digest = hashlib.sha256(f"{study}\n{model}".encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=4)


def _written(
    planned: PlannedCells, record: _Record, files: NewTexts, source: Source, at: int, *, rows: bool
) -> _Record:
    """Write the rows of a record, and then its document, which has their number and digest."""
    study, samples = planned.study, f"{record.key}_samples.jsonl"
    record.rows = files.write(samples, _lines(planned, record, at, rows=rows))
    made = Made(at, version("itemeval-assets"), _inspect_versions(planned.store, record.runs))
    document = record_of(study, record.model, record.scores, source, made, record.graded_at)
    if record.rows:
        document["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": samples,
            "hash_algorithm": "sha256",
            "checksum": files.sha256(samples),
            "total_rows": record.rows,
        }
    files.write(f"{record.key}.json", [_json(document, indent=2)])
    return record


def _lines(planned: PlannedCells, record: _Record, at: int, *, rows: bool) -> Iterator[str]:
    """The rows of a record, which learns on the way what is behind it."""
    study, items = planned.study, items_by_id(planned)
    shared = {
        "evaluation_id": evaluation_id(study, record.model, at),
        "model_id": model_id(record.model),
        "evaluation_name": study.name,
    }
    for score, cells in _cells(planned, record):
        _note(record, cells)
        least = least_right(study, score) if rows else None
        if least is None:
            record.rowless.add(score.graded_by)
        else:
            yield from map(_json, samples_of(score, cells, items, least, shared))


def _cells(planned: PlannedCells, record: _Record) -> Iterator[tuple[Score, pa.Table]]:
    """The cells behind each score, with what gradings_long knows of them."""
    for score in record.scores:
        assert score.grade_condition_id
        partition = Partition((score.gen_condition_id, score.grade_condition_id))
        for _, cells in planned.by_partition([partition], events=COLUMNS, unplanned=True):
            yield score, cells.filter(pc.is_valid(cells["score"]))  # type: ignore[attr-defined]


def _note(record: _Record, cells: pa.Table) -> None:
    """The runs behind a record, and when its last score was given."""
    for column in ("gen_run_id", "grade_run_id"):
        record.runs |= set(cells[column].unique().to_pylist()) - {None}
    record.graded_at = max([record.graded_at, *filter(None, cells["created_at"].to_pylist())])


def _inspect_versions(store: ResultsStore, runs: Iterable[str]) -> str:
    """Those that the calls were made with."""
    found = (run.get("packages", {}).get("inspect-ai") for run in manifests_of(store, runs))
    return ", ".join(sorted(set(filter(None, found)))) or "unknown"


def _words(study: Study, made: Sequence[_Record], *, rows: bool) -> Iterator[str]:
    without = len(study.models) - len(made)
    if without:
        yield f"{counted(without, 'model')} without a score: no record."
    rowless = sorted(set().union(*(one.rowless for one in made))) if rows else []
    if rowless and isinstance(study.config.benchmark, TaskBenchmark):
        yield "No rows: those of a task have to show all its turns, which only the logs have."
    elif rowless:
        yield (
            f"No rows of {', '.join(rowless)}: without a scale nobody knows which answers are"
            " right. Declare graders.<name>.scale, and call this again."
        )


def _json(document: Mapping[str, Any], indent: int | None = None) -> str:
    return json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False)
