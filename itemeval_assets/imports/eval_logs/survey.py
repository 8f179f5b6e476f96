"""Looks through logs of inspect_ai: what of them comes into a study of their task. Writes nothing.

A log is of the generate condition that has its model and its settings. Answers come in where the
question and the target of their sample are those of the item.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.logs.reading import read_log_header
from itemeval_assets.engine.rows import PRICE, utc
from itemeval_assets.engine.tasks.logs.made_by_inspect import (
    LoggedAnswer,
    TaskOfLogs,
    loaded_task,
    logged_answers,
)
from itemeval_assets.engine.tasks.running import TASK
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
from itemeval_assets.stages.tasks.opening import open_study
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.inputs.task_lock import task_file
from itemeval_assets.storage.study.layout import log_key
from itemeval_assets.storage.study.store import ResultsStore

from .place import LogFolder, place_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def survey(path: str, config: str | Path) -> Found:
    """What the logs at `path` hold for the study that `config` declares; its benchmark is a task.

    Raises an ItemevalAssetsError, which names the place, where the task cannot be loaded, a log
    cannot be read, or none is of the task.
    """
    folder, keys = place_of(path, config)
    try:
        study = open_study(config, imports=True)
    except ConfigError as error:
        where = ". Without its code its logs come in with `adapter: logs`"
        raise ConfigError(f"{error}{where if 'benchmark.task: ' in str(error) else ''}") from error
    ref = study.config.benchmark.ref
    assert ref is not None
    task = loaded_task(ref, task_file(ref, study.config_dir))
    items = known(study, ResultsStore(open_backend(study.location), study.name)).table
    return Survey(study, task, LogFolder(folder, keys, study), items, _ANOTHER).found()


class _Answer(NamedTuple):
    key: str
    created: str
    error: str | None

    @property
    def rank(self) -> tuple[bool, str]:
        """An answer is better than an error, and a later one better than an older one."""
        return self.error is None, self.created


class Survey:
    """What of some logs comes into a study. `another`: why logs stay out that differ otherwise."""

    def __init__(
        self, study: Study, task: TaskOfLogs, logs: LogFolder, items: pa.Table, another: str
    ) -> None:
        self._study, self._task, self._folder, self._another = study, task, logs, another
        self._source, self._items = logs.source, items
        self._store = ResultsStore(open_backend(study.location), study.name)
        self._prices = prices_if_needed(study)
        self._left = Counter[tuple[str, str]]()
        self._best: dict[Partition, dict[Cell, _Answer]] = {}
        self._beside = self._again = self._changed = self._longer = self._begun = 0
        self._manifests: dict[str, Mapping[str, Any]] = {}

    def know(self, study: Study, items: pa.Table) -> None:
        """Go on with what the logs told: the study with its scores, and its items."""
        self._study, self._items = study, items

    def found(self) -> Found:
        """All that comes in."""
        logs = [*self._logs()]
        left = [LeftOut(count, what, why) for (what, why), count in sorted(self._left.items())]
        if not (logs or self._again or self._changed):
            why = "; ".join(f"{one.words}: {one.why}" for one in left)
            raise StoreError(
                f"{self._source.uri('')}: of {counted(len(self._folder.headers), 'log')} none has "
                f"an answer for {self._study.config_path}: {why}. Nothing was taken"
            )
        return Found(
            study=self._study,
            source=self._source,
            items=self._items,
            pins=self._pins,
            rows={part: _rows(cells) for part, cells in self._best.items() if cells},
            logs=logs,
            manifests=self._manifests,
            left_out=left,
            notes=[*self._notes()],
        )

    def _logs(self) -> Iterator[FoundLog]:
        """The logs that come in, oldest first, so that what a retry has again is known by then."""
        for key, target, partition in self.fitting:
            digest = hashlib.sha256(self._folder.data(key).read_bytes()).hexdigest()
            log, place = self._folder.log(key), self._place_of(target, digest)
            cells = self._cells(key, target, place, partition, log)
            if place != target:
                self._longer += bool(cells)
                self._changed += not cells
            if cells:
                self._begun += log.status == "started"
                yield FoundLog(key, [self._part(key, place, partition, log, cells, digest)])

    @cached_property
    def fitting(self) -> list[tuple[str, str, Partition]]:
        """The logs of the study, oldest first: key, key here, and partition.

        Of versions of one eval it is that written last: `inspect score` writes a log again, beside
        the first one or in its place.
        """
        found: dict[str, tuple[str, str, str, Partition]] = {}
        for key, header in self._folder.headers.items():
            if partition := self._partition_if_fitting(header):
                target = log_key(partition, header.eval.created, header.eval.task_id)
                found[target] = (header.eval.created, target, key, partition)
        return [(key, target, part) for _, target, key, part in sorted(found.values())]

    def _partition_if_fitting(self, log: "EvalLog") -> Partition | None:
        """The generate condition of a log; None, and counted, where it is none of the study's."""
        name = log.eval.task
        if not self._task.is_made_by(log):
            self._leave_out("logs of other tasks", "the study is of one task")
        elif not self._task.has_arguments_of(log):
            self._leave_out(f"logs of {name} with other arguments", _ARGUMENTS)
        elif another := self._task.why_another(log):
            self._leave_out(f"logs of {name} with {another}", self._another)
        else:
            return self._partition_of(log)
        return None

    def _leave_out(self, what: str, why: str) -> None:
        self._left[what, why] += 1

    def _partition_of(self, log: "EvalLog") -> Partition | None:
        """The generate condition with the model and the settings of a log; None: there is none."""
        model, asked = log.eval.model, self._task.asked(log)
        for condition in self._study.design.first_asked:
            if condition.model == model and condition.params == asked:
                return Partition((condition.id,))
        words = ", ".join(f"{name} {value}" for name, value in sorted(asked.items()))
        self._leave_out(
            f"logs of {model} with {words or 'no settings of its own'}",
            "no generate condition has them; add the model, or a model_config, to the YAML",
        )
        return None

    def _cells(
        self, key: str, target: str, place: str, partition: Partition, log: "EvalLog"
    ) -> set[Cell]:
        """The cells of a log that come in; an answer that several logs have is of the first.

        Its copy is to lie at `place`; at `target` that of an earlier version, if one came in.
        """
        found, best = set[Cell](), self._best.setdefault(partition, {})
        if not log.samples:
            self._leave_out("logs without a sample", _NO_SAMPLE)
        for answer in logged_answers(log):
            known = self._places.setdefault(answer.uuid, place)
            if known != place:
                self._again += known != target
            elif self._fits(answer):
                found.add(answer.cell)
                this = _Answer(key, log.eval.created, answer.error)
                other = best.setdefault(answer.cell, this)
                if other is not this:
                    self._beside += 1
                    best[answer.cell] = max(this, other, key=lambda one: one.rank)
        return found

    @cached_property
    def _places(self) -> dict[str, str]:
        """The log of each answer that is here, by its uuid."""
        columns = ["sample_uuid", "log_file"]
        tables = [self._store.read(name, columns=columns) for name in ("solutions", "replaced")]
        rows = [row for table in tables for row in table.to_pylist()]
        return {row["sample_uuid"]: row["log_file"] for row in rows if row["log_file"]}

    def _place_of(self, target: str, digest: str) -> str:
        """Where the copy of a log goes: beside the copy of it that came in, if it is another now.

        So the answers of an eval come in that was at work when its log was imported first.
        """
        if not self._store.backend.exists(target):
            return target
        copy, place = self._store.backend.local_copy(target), self._store.backend.uri(target)
        before = (read_log_header(copy, place).eval.metadata or {}).get(_DIGEST)
        if before in (None, digest):
            return target
        return f"{target.removesuffix('.eval')}_{digest[:_DIGITS]}.eval"

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

    def _part(
        self,
        key: str,
        target: str,
        partition: Partition,
        log: "EvalLog",
        cells: set[Cell],
        digest: str,
    ) -> LogPart:
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
            _DIGEST: digest,
        }
        self._manifests[spec.run_id] = {
            "run_id": spec.run_id,
            "stage": GENERATE.name,
            "policy": IMPORTED,
            "created_at": utc(spec.created),
            "packages": {name.replace("_", "-"): told for name, told in spec.packages.items()},
        }
        return LogPart(partition, target, metadata, only=frozenset(cells))

    def _notes(self) -> Iterator[str]:
        if self._beside:
            yield (
                f"{counted(self._beside, 'answer')} are of cells that another log answers, too: "
                "the latest counts, and what the others cost is kept"
            )
        if self._again:
            yield (
                f"{counted(self._again, 'answer')} are in several logs, as those of `inspect "
                "eval-retry`: they come in once"
            )
        if self._begun:
            verb = "is of an eval that has" if self._begun == 1 else "are of evals that have"
            yield (
                f"{counted(self._begun, 'log')} {verb} not ended: import again once it has, for the"
                " other answers"
            )
        if self._longer:
            yield (
                f"{counted(self._longer, 'log')} came in before as another version: the answers "
                "that it did not have come in, and what is here stays"
            )
        if self._changed:
            yield (
                f"{counted(self._changed, 'log')} came in before as another version, such as "
                "`inspect score` writes: what is here stays. A study of its own takes in new scores"
            )
        yield "the scores that the task gave come in with the next run, without a call"


# In the header of a copy: of what bytes it is one.
_DIGEST = "imported_sha256"
_DIGITS = 12
_ANOTHER = "a condition is of the task as it is; pass what differs as an argument of the task"
_ARGUMENTS = "they are another benchmark; give them a study of their own (`benchmark.args`)"
_NO_ITEM = "the task has no such sample today, or `benchmark.sample` leaves it out"
_OTHER_QUESTION = "the task had other data then"
_NO_SAMPLE = "their eval ended before one, or was told to keep none (`--no-log-samples`)"
_EPOCHS = "raise `facets.replications` to take them in"


def _rows(cells: Mapping[Cell, _Answer]) -> pa.Table:
    rows = [
        {**cell._asdict(), "error": answer.error, "log_file": answer.key}
        for cell, answer in cells.items()
    ]
    return pa.Table.from_pylist(rows, schema=CELLS)
