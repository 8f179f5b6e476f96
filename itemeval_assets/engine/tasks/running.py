"""A task as an eval of one partition: its own solver and scorers, for the planned cells only."""

from collections.abc import Collection, Mapping
from typing import Any

from inspect_ai import Task, task_with
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalSpec
from inspect_ai.scorer import SampleScore
from inspect_ai.util import EarlyStop, EarlyStopping

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.calls.exits import without_exits
from itemeval_assets.engine.calls.in_flight.calls import current_calls
from itemeval_assets.engine.calls.tasks import AllowedCellsOnly, CallSettings, Target

from .samples import item_id

# In the metadata of a log: which task it is of.
TASK = "task"
# In the metadata of a log: what a sample may cost at most.
MOST_USD = "most_usd_per_sample"


def prepared(
    task: Task,
    target: Target,
    cells: Collection[Cell],
    settings: CallSettings,
    metadata: Mapping[str, Any],
) -> Task:
    """The task for these cells of its samples, answered by the model of `target`.

    The settings of `target` hold over those of the task; what its solver sets for a call of its own
    holds over both. Raises DatasetError for a cell that the task has no sample for.
    """
    by_item = {item_id(sample): sample for sample in task.dataset}
    if missing := next((cell.item_id for cell in cells if cell.item_id not in by_item), None):
        raise DatasetError(
            f"benchmark.task: the task has no sample {missing!r} any more; restore its data, or "
            "give the changed task a study of its own (`study:` name)"
        )
    wanted = {cell.item_id for cell in cells}
    most = max(settings.most_usd.values(), default=0.0)
    found = task_with(
        task,
        dataset=task.dataset.filter(lambda sample: item_id(sample) in wanted),
        model=target.model,
        config=task.config.merge(target.config),
        epochs=max(cell.epoch for cell in cells),
        early_stopping=_Samples(cells, settings, task.early_stopping),
        metadata={**(task.metadata or {}), **metadata, MOST_USD: most},
    )
    without_exits(found)
    return found


class _Samples(AllowedCellsOnly):
    """Schedules the planned samples of a task, and has their calls counted."""

    def __init__(
        self, cells: Collection[Cell], settings: CallSettings, own: EarlyStopping | None
    ) -> None:
        super().__init__({(cell.item_id, cell.epoch): cell for cell in cells}, settings)
        self._own = own
        self._begun: set[Cell] = set()

    async def start_task(self, task: EvalSpec, samples: list[Sample], epochs: int) -> str:
        name = await super().start_task(task, samples, epochs)
        if self._own is not None:
            return await self._own.start_task(task, samples, epochs)
        return name

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:
        stop = await super().schedule_sample(id, epoch)
        if stop is None and self._own is not None:
            stop = await self._own.schedule_sample(id, epoch)
        if stop is None and (calls := current_calls()):
            calls.begin_sample(self._settings.allowance.meter(self._set_aside(id, epoch)))
        return stop

    def _set_aside(self, id: str | int, epoch: int) -> float:
        """The USD that are set aside for a sample: once, also where it is tried again."""
        cell = Cell(str(id), epoch)
        is_new = cell not in self._begun
        self._begun.add(cell)
        return self._settings.most_usd.get(cell, 0.0) if is_new else 0.0

    async def complete_sample(
        self, id: str | int, epoch: int, scores: dict[str, SampleScore]
    ) -> None:
        if self._own is not None:
            await self._own.complete_sample(id, epoch, scores)

    async def complete_task(self) -> dict[str, Any]:
        return {} if self._own is None else await self._own.complete_task()
