"""Looks through logs of inspect_ai: what of them comes into a study of their task. Writes nothing.

A log is of the generate condition that has its model and its settings. Answers come in where the
question and the target of their sample are those of the item of today.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.pending import Cell
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.logs.reading import read_log, read_log_header
from itemeval_assets.engine.rows import PRICE
from itemeval_assets.engine.tasks.logs.made_by_inspect import (
    LoadedTask,
    LoggedAnswer,
    loaded_task,
    logged_answers,
)
from itemeval_assets.engine.tasks.running import TASK
from itemeval_assets.imports.found import CELLS, IMPORTED_FROM, Found, FoundLog, LeftOut, LogPart
from itemeval_assets.stages.items import known
from itemeval_assets.stages.tasks.opening import open_study
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.inputs.task_lock import task_file
from itemeval_assets.storage.study.layout import log_key
from itemeval_assets.storage.study.store import ResultsStore

from .place import place_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def survey(path: str, config: str | Path) -> Found:
    """What the logs at `path` hold for the study that `config` declares; its benchmark is a task.

    Raises an ItemevalAssetsError, which names the place, where the task cannot be loaded, a log
    cannot be read, or none is of the task.
    """
    folder, keys = place_of(path, config)
    study = open_study(config)
    ref = study.config.benchmark.ref
    assert ref is not None
    return _Survey(study, loaded_task(ref, task_file(ref, study.config_dir)), folder, keys).found()


class _Answer(NamedTuple):
    key: str
    created: str
    error: str | None

    @property
    def rank(self) -> tuple[bool, str]:
        """An answer is better than an error, and a later one better than an older one."""
        return self.error is None, self.created


class _Survey:
    def __init__(self, study: Study, task: LoadedTask, folder: str, keys: list[str]) -> None:
        self._study, self._task = study, task
        self._source = open_backend(folder)
        # Not what an import has made of them.
        self._keys = [
            key for key in keys if not self._source.uri(key).startswith(f"{study.location}/")
        ]
        store = ResultsStore(open_backend(study.location), study.name)
        self._items = known(study, store).table
        self._prices = prices_if_needed(study)
        self._left = Counter[tuple[str, str]]()
        self._best: dict[Partition, dict[Cell, _Answer]] = {}
        self._beside = 0
        self._manifests: dict[str, Mapping[str, Any]] = {}

    def found(self) -> Found:
        """All that comes in."""
        logs = [*self._logs()]
        left = [LeftOut(count, what, why) for (what, why), count in sorted(self._left.items())]
        if not logs:
            why = "; ".join(f"{one.words}: {one.why}" for one in left)
            raise StoreError(
                f"{self._source.uri('')}: of {counted(len(self._keys), 'log')} none has an answer "
                f"for {self._study.config_path}: {why}. Nothing was taken"
            )
        return Found(
            study=self._study,
            source=self._source,
            items=self._items,
            pins=self._pins,
            rows={part: _rows(cells) for part, cells in self._best.items()},
            logs=logs,
            manifests=self._manifests,
            left_out=left,
            notes=[*self._notes()],
        )

    def _logs(self) -> Iterator[FoundLog]:
        for key in self._keys:
            place = self._source.uri(key)
            header = read_log_header(self._source.local_copy(key), place)
            if not self._task.is_made_by(header):
                self._leave_out("logs of other tasks", "the study is of one task")
            elif not self._task.has_arguments_of(header):
                self._leave_out(f"logs of {header.eval.task} with other arguments", _ARGUMENTS)
            elif partition := self._partition_of(header):
                log = read_log(self._source.local_copy(key), place)
                if cells := self._cells(key, partition, log):
                    yield FoundLog(key, [self._part(key, partition, log, cells)])

    def _leave_out(self, what: str, why: str) -> None:
        self._left[what, why] += 1

    def _partition_of(self, log: "EvalLog") -> Partition | None:
        """The generate condition with the model and the settings of a log; None: there is none."""
        model, asked = log.eval.model, self._task.asked(log)
        for condition in self._study.design.generate:
            if condition.model == model and condition.params == asked:
                return Partition((condition.id,))
        words = ", ".join(f"{name} {value}" for name, value in sorted(asked.items()))
        self._leave_out(
            f"logs of {model} with {words or 'no settings of its own'}",
            "no generate condition has them; add the model, or a model_config, to the YAML",
        )
        return None

    def _cells(self, key: str, partition: Partition, log: "EvalLog") -> set[Cell]:
        """The cells of a log that come in."""
        found, best = set[Cell](), self._best.setdefault(partition, {})
        for answer in logged_answers(log):
            if self._fits(answer):
                found.add(answer.cell)
                this = _Answer(key, log.eval.created, answer.error)
                other = best.setdefault(answer.cell, this)
                if other is not this:
                    self._beside += 1
                    best[answer.cell] = max(this, other, key=lambda one: one.rank)
        if not best:
            del self._best[partition]
        return found

    def _fits(self, answer: LoggedAnswer) -> bool:
        question = self._questions.get(answer.cell.item_id)
        if question is None:
            self._leave_out("answers to samples that are no items", _NO_ITEM)
        elif question != answer.question:
            self._leave_out("answers to other questions, or with other targets", _OTHER_QUESTION)
        elif answer.cell.epoch > self._study.config.facets.replications:
            self._leave_out("answers of further epochs", _EPOCHS)
        else:
            return True
        return False

    @cached_property
    def _questions(self) -> dict[str, tuple[str, str]]:
        rows = self._items.select(["item_id", "input", "target"]).to_pylist()
        return {row["item_id"]: (row["input"], row["target"]) for row in rows}

    @cached_property
    def _pins(self) -> dict[str, Any]:
        rows = self._items.select(["dataset_id", "dataset_revision"]).to_pylist()
        return {
            row["dataset_id"]: {"revision": row["dataset_revision"], "resolved_at": now()}
            for row in rows[:1]
        }

    def _part(self, key: str, partition: Partition, log: "EvalLog", cells: set[Cell]) -> LogPart:
        """The copy of a log: what its header is to say, and whose samples it has."""
        spec, item = log.eval, self._items.slice(0, 1).to_pylist()[0]
        condition = self._study.design.generate_by_id[partition.generate]
        metadata = {
            "study": self._study.name,
            "run_id": spec.run_id,
            **partition.columns,
            "model": spec.model,
            PRICE: self._prices.evidence(spec.model),
            TASK: condition.payload["task"],
            "task_version": str(spec.task_version),
            **{name: item[name] for name in ("dataset_id", "dataset_revision")},
            IMPORTED_FROM: key,
        }
        self._manifests[spec.run_id] = {
            "run_id": spec.run_id,
            "created_at": spec.created,
            "packages": spec.packages,
        }
        where = log_key(partition, spec.created, spec.task_id)
        return LogPart(partition, where, metadata, only=frozenset(cells))

    def _notes(self) -> Iterator[str]:
        if self._beside:
            yield (
                f"{counted(self._beside, 'answer')} are of cells that another log answers, too: "
                "the latest counts, and what the others cost is kept"
            )
        yield "the scores that the task gave come in with the next run, without a call"


_ARGUMENTS = "they are another benchmark; give them a study of their own (`benchmark.args`)"
_NO_ITEM = "the task has no such sample today, or `benchmark.sample` leaves it out"
_OTHER_QUESTION = "the task had other data then"
_EPOCHS = "raise `facets.replications` to take them in"


def _rows(cells: Mapping[Cell, _Answer]) -> pa.Table:
    rows = [
        {**cell._asdict(), "error": answer.error, "log_file": answer.key}
        for cell, answer in cells.items()
    ]
    return pa.Table.from_pylist(rows, schema=CELLS)
