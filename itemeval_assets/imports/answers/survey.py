"""Looks through a table of answers: what of it comes into a study. Writes a log of each condition.

The logs lie in a folder of their own until they are taken in. An answer that is the same has the
same log, so a table that comes in again adds nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import is_blank
from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.logs.broken import write_log
from itemeval_assets.engine.logs.of_answers import GivenAnswer, log_of_answers
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.imports.found import (
    CELLS,
    IMPORTED,
    IMPORTED_FROM,
    Found,
    FoundLog,
    LeftOut,
    LogPart,
)
from itemeval_assets.stages.items import known
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.layout import log_key
from itemeval_assets.storage.study.log_files import known_logs
from itemeval_assets.storage.study.store import ResultsStore

from .rows import AnswerRow, answer_rows, by_condition

_NO_ITEM = "the study has no such items"
_BLANK = "a run calls the model for them"
_EPOCHS = "raise `facets.replications` to take them in"


def survey(path: str, config: str | Path, folder: Path) -> Found:
    """What the table at `path` holds for the study that `config` declares.

    `folder`: an empty one, for logs. Raises an ItemevalAssetsError, which names file and row, for
    what is no such table, and where none of it is of the study.
    """
    study = load_study(config)
    file = Path(path).expanduser().resolve()
    rows = answer_rows(file, study.design.first_asked)
    return _Survey(study, file, folder).found(rows)


class _Survey:
    def __init__(self, study: Study, file: Path, folder: Path) -> None:
        self._study, self._file, self._folder = study, file, folder
        self._store = ResultsStore(open_backend(study.location), study.name)
        self._items = known(study, self._store).table
        self._by_id = {row["item_id"]: row for row in self._items.to_pylist()}
        self._left = Counter[tuple[str, str]]()
        self._created = now()

    def found(self, rows: list[AnswerRow]) -> Found:
        """All that comes in."""
        wanted = by_condition(row for row in rows if self._is_wanted(row))
        left = [LeftOut(count, what, why) for (what, why), count in sorted(self._left.items())]
        if not wanted:
            why = "; ".join(f"{one.words}: {one.why}" for one in left) or "it has no rows"
            raise StoreError(
                f"{self._file}: none of its {counted(len(rows), 'row')} has an answer for "
                f"{self._study.config_path}: {why}. Nothing was taken"
            )
        made = {Partition((id,)): self._log(Partition((id,)), of) for id, of in wanted.items()}
        return Found(
            study=self._study,
            source=open_backend(str(self._folder)),
            items=self._items,
            pins=self._pins,
            rows={part: _cells(wanted[part.generate], log.key) for part, log in made.items()},
            logs=[*made.values()],
            manifests=dict(self._manifests(made)),
            left_out=left,
            notes=[
                "nobody knows what these answers cost: their usd is null",
                "prompts and settings are those of the YAML: whether models were asked so, only you"
                " know",
            ],
        )

    def _is_wanted(self, row: AnswerRow) -> bool:
        if row.cell.item_id not in self._by_id:
            self._left["answers to unknown items", _NO_ITEM] += 1
        elif row.cell.epoch > self._study.config.facets.replications:
            self._left["answers of further epochs", _EPOCHS] += 1
        elif is_blank(row.solution):
            self._left["answers without text", _BLANK] += 1
        else:
            return True
        return False

    def _log(self, partition: Partition, rows: list[AnswerRow]) -> FoundLog:
        """Write the log of the answers of one condition."""
        condition = self._study.design.generate_by_id[partition.generate]
        told = [[condition.id, *row.cell, row.solution] for row in rows]
        id = hashlib.sha256(canonical_json(told).encode()).hexdigest()[:22]
        answers = [
            GivenAnswer(row.cell, self._by_id[row.cell.item_id], row.solution) for row in rows
        ]
        log = log_of_answers(condition.slug, condition.model, id, self._created, answers)
        name = f"{id}.eval"
        write_log(log, self._folder / name)
        metadata = {
            "study": self._study.name,
            "run_id": id,
            **partition.columns,
            "model": condition.model,
            IMPORTED_FROM: self._file.name,
        }
        there = known_logs(self._store.backend, partition, lambda key: key.endswith(f"_{name}"))
        key = there[0] if there else log_key(partition, self._created, id)
        return FoundLog(name, [LogPart(partition, key, metadata)])

    def _manifests(self, made: dict[Partition, FoundLog]) -> Iterator[tuple[str, dict[str, Any]]]:
        digest = hashlib.sha256(self._file.read_bytes()).hexdigest()
        for log in made.values():
            run_id = log.key.removesuffix(".eval")
            yield (
                run_id,
                {
                    "run_id": run_id,
                    "stage": GENERATE.name,
                    "policy": IMPORTED,
                    "created_at": self._created,
                    "sha256": digest,
                },
            )

    @property
    def _pins(self) -> dict[str, Any]:
        rows = self._items.select(["dataset_id", "dataset_revision"]).to_pylist()
        pinned = {row["dataset_id"]: row["dataset_revision"] for row in rows}
        return {
            id: {"revision": revision, "resolved_at": self._created}
            for id, revision in pinned.items()
        }


def _cells(rows: list[AnswerRow], key: str) -> pa.Table:
    cells = [{**row.cell._asdict(), "error": None, "log_file": key} for row in rows]
    return pa.Table.from_pylist(cells, schema=CELLS)
