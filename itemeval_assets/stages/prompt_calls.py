"""What callers of prompts share: one call for each cell, in a task that is made of the prompts."""

from typing import TYPE_CHECKING, Any

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.projection.estimate import ONE_CALL, SampleCalls
from itemeval_assets.engine.calls.tasks import CallSettings, build_task

if TYPE_CHECKING:
    from inspect_ai import Task

    from .calls.making import PlannedCalls


class PromptCaller:
    """A part of `Caller`, the same for solutions, rubrics and gradings."""

    def calls_per_cell(self, partition: Partition) -> SampleCalls:
        return ONE_CALL

    def build(
        self,
        partition: Partition,
        calls: "PlannedCalls",
        settings: CallSettings,
        metadata: dict[str, Any],
    ) -> "Task":
        name = partition.condition_id
        return build_task(calls.target, name, calls.samples, settings, metadata)
