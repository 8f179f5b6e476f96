"""Solutions of a task of inspect_ai: its own solver answers, and its own scorers score."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from itemeval_assets.core.design.cells.pending import Cell, Pending
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import DatasetError, ModelError
from itemeval_assets.core.money.projection.estimate import SampleCalls, output_limit
from itemeval_assets.core.money.projection.samples import calls_of_sample
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.core.tasks.differences import difference
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.engine.tasks.data import remember
from itemeval_assets.engine.tasks.loaded.loading import load_task
from itemeval_assets.engine.tasks.loaded.sandboxes import why_no_sandbox
from itemeval_assets.engine.tasks.logs.rows import sample_rows
from itemeval_assets.engine.tasks.logs.scores import names_in
from itemeval_assets.engine.tasks.running import TASK, prepared
from itemeval_assets.stages.calls.stage_run import Scope, StageRun
from itemeval_assets.stages.prompt_solutions import SolutionCaller
from itemeval_assets.storage.study.inputs.task_lock import learn_scores, task_file

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog

    from itemeval_assets.engine.calls.tasks import CallSettings, Target
    from itemeval_assets.stages.calls.making import PlannedCalls


class TaskCaller(SolutionCaller):
    """Runs the task for each generate condition: a sample per item, an epoch per replication."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        lock = scope.study.snapshot.task
        assert lock is not None
        self._lock: TaskLock = lock
        self._seen: set[ScoreName] = set()

    def target(self, partition: Partition) -> "Target":
        """Raises ModelError also where this machine lacks the sandbox of the task."""
        found = super().target(partition)
        if self._why_not:
            raise ModelError(self._why_not)
        return found

    @cached_property
    def _why_not(self) -> str | None:
        return why_no_sandbox(self._lock.sandbox, self._lock.task)

    def finish(self, run: StageRun) -> None:
        """Keep the scores that only the logs told of: they are grade conditions from now on."""
        now = self._lock.with_learned(self._seen)
        if now != self._lock:
            learn_scores(self._study.name, self._study.location, self._seen)
        if now.learned != self._lock.learned:
            run.say(f"{self._lock.task} gives scores that only its logs tell: run again")

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        params = self._conditions[partition.generate].params
        given = params.get("max_tokens") or self._lock.limits.get("max_tokens")
        limit = output_limit(None if given is None else int(given), params.get("reasoning_tokens"))
        return limit, given is not None

    def calls_per_cell(self, partition: Partition) -> SampleCalls:
        stored = self._scope.store.read("solutions", [partition], ["total_tokens"])
        return calls_of_sample(self._lock, stored["total_tokens"].to_pylist())

    def can_make_samples(self) -> bool:
        return False

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        """None is made here: the task has them. The response cache answers none of its calls."""
        return {}

    def build(
        self,
        partition: Partition,
        calls: "PlannedCalls",
        settings: "CallSettings",
        metadata: dict[str, Any],
    ) -> "Task":
        """A new task each time: the tasks of two partitions share nothing."""
        task = self._load()
        return prepared(task, calls.target, calls.plan.cells, settings, metadata)

    def _load(self) -> "Task":
        study, ref = self._study, self._study.config.benchmark.ref
        assert ref is not None
        file = task_file(ref, study.config_dir)
        task = load_task(ref, file)
        data, items = remember(ref, file, task), list(self._items.values())
        pinned = items[0]["dataset_revision"]
        if (now := data.revision(pinned)) != pinned:
            known = {row["item_id"] for row in items}
            rows = [row for row in data.rows if row["item_id"] in known]
            raise DatasetError(
                f"benchmark.task: the data of {ref.word!r} changed since this study pinned them "
                f"({pinned[:12]} then, {now[:12]} now): {difference(items, rows)}; restore "
                "them, or give the changed task a study of its own (`study:` name)"
            )
        return task

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        item = next(iter(self._items.values()))
        condition = self._conditions[partition.generate]
        return {
            TASK: condition.payload["task"],
            "task_version": self._lock.version,
            **{name: item[name] for name in ("dataset_id", "dataset_revision")},
        }

    def _calls(self, log: "EvalLog", model: str) -> Iterator[tuple[Cell, dict[str, Any]]]:
        self._seen |= names_in(log)
        return sample_rows(log, model, self._scope.prices)


class LogCaller(TaskCaller):
    """Reads the logs that an import has brought. It calls nobody: the task's code is not here."""

    def unsettled(self, partition: Partition, pending: Pending) -> Pending:
        return pending.within(np.zeros_like(pending.cells))
