"""Copies of the logs of solutions, with the verdicts of all graders as scores of their samples.

Somebody who knows inspect_ai looks at a study with the viewer that they know.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.study.layout import LOGS, SCORED_LOGS
from itemeval_assets.storage.study.store import ResultsStore

_CELL = ("item_id", "replication")
_COLUMNS = [
    *("score", "score_raw", "parse_error", "reasoning", "judge_completion"),
    *("grade_usd", "grade_log_file"),
]
# {log: {cell: {grader: grading}}}
_ByLog = dict[str, dict[Cell, dict[str, dict[str, Any]]]]


class ScoredLogs(NamedTuple):
    """`folder` has `logs` copies, of which `written` are new or have other scores than before."""

    folder: str
    logs: int
    written: int


def scored_logs(study: Study, store: ResultsStore) -> ScoredLogs:
    """Write them below export/, those that have changed; remove those that nothing stands for.

    A log has the scores of the samples that are rows of the study today. Raises StoreError where
    nothing is graded, and for a log that is gone.
    """
    wanted, written = set[str](), 0
    for condition in study.generate_partitions():
        for log, gradings in _gradings(study, store, condition).items():
            copy = f"{SCORED_LOGS}/{log.removeprefix(f'{LOGS}/')}"
            wanted.add(copy)
            written += _write(store, log, gradings, copy)
    if not wanted:
        command = f"itemeval-assets run {study.config_path}"
        raise StoreError(f"study {study.name}: nothing is graded yet: {command}")
    for copy in set(store.backend.list(SCORED_LOGS)) - wanted:
        store.backend.delete(copy)
    return ScoredLogs(store.backend.uri(SCORED_LOGS), len(wanted), written)


def _gradings(study: Study, store: ResultsStore, condition: Partition) -> _ByLog:
    found: _ByLog = {}
    for partition in study.grade_partitions():
        if partition.generate == condition.generate:
            columns = [*_CELL, "gen_log_file", *_COLUMNS]
            rows = store.read("gradings_long", [partition], columns)
            grader = study.design.labels_of(partition)[1]
            for log, cell, grading in _rows(rows):
                found.setdefault(log, {}).setdefault(cell, {})[grader] = grading
    return found


def _rows(table: pa.Table) -> Iterator[tuple[str, Cell, dict[str, Any]]]:
    for row in table.to_pylist():
        cell = Cell(*(row[name] for name in _CELL))
        yield row["gen_log_file"], cell, {name: row[name] for name in _COLUMNS}


def _write(
    store: ResultsStore, log: str, gradings: Mapping[Cell, Mapping[str, Any]], copy: str
) -> bool:
    """Whether the copy had to be written."""
    from itemeval_assets.engine.scored_logs import (  # noqa: PLC0415 (loads inspect_ai)
        mark_of,
        write_scored,
    )

    backend, mark = store.backend, _mark(gradings)
    # A copy that is damaged is written anew, as one with other scores is.
    with suppress(StoreError):
        if backend.exists(copy) and mark_of(backend.local_copy(copy)) == mark:
            return False
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        target = Path(folder) / "scored.eval"
        write_scored(backend.local_copy(log), gradings, mark, target)
        backend.upload(target, copy, give_away=True)
    return True


def _mark(gradings: Mapping[Cell, Mapping[str, Any]]) -> str:
    told = [[*cell, graded] for cell, graded in sorted(gradings.items())]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
