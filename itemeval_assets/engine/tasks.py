"""One inspect Task per partition: the pending cells, and how they are asked.

What a judge is shown holds the item, the solution and the rubric, and nothing that tells
which model answered.
"""

from collections.abc import Mapping
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalSpec
from inspect_ai.model import (
    CachePolicy,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ResponseSchema,
    get_model,
)
from inspect_ai.scorer import SampleScore
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import EarlyStop, JSONSchema

from itemeval_assets.core.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.judge_reply import REPLY_SCHEMA
from itemeval_assets.core.pending import Cell, Plan
from itemeval_assets.core.prompts import Prompt

__all__ = ["generate_task", "judge_task"]


def generate_task(
    condition: GenerateCondition,
    prompts: Mapping[Cell, Prompt],
    items: Mapping[str, Mapping[str, Any]],
    plan: Plan,
    model: Model,
    *,
    cache: bool,
    request: Mapping[str, Any],
    metadata: dict[str, Any],
) -> Task:
    """One sample per item, epochs = replications; cells outside the plan are not scheduled.

    `items` are rows by item id; `request` holds how calls are made (timeouts, retries,
    batch, provider cache), which is no part of the condition.
    """
    prompt_of = {cell.item_id: prompt for cell, prompt in prompts.items()}
    samples = [
        Sample(
            input=_messages(prompt),
            target=items[id]["target"],
            id=id,
            metadata={name: items[id][name] for name in ("dataset_id", "dataset_revision")},
        )
        for id, prompt in prompt_of.items()
    ]
    return Task(
        name=condition.slug,
        dataset=MemoryDataset(samples, name=condition.id),
        solver=ask(cache, plan.fresh),
        epochs=max(cell.epoch for cell in plan.cells),
        early_stopping=_PlannedCellsOnly(plan.cells),
        model=model,
        config=GenerateConfig(**condition.params, **request),
        metadata=metadata,
    )


def judge_task(
    condition: GradeCondition,
    prompts: Mapping[Cell, Prompt],
    items: Mapping[str, Mapping[str, Any]],
    plan: Plan,
    model: Model,
    *,
    cache: bool,
    request: Mapping[str, Any],
    metadata: dict[str, Any],
) -> Task:
    """One sample per solution, at temperature 0. `items` are rows by item id."""
    assert condition.grader is not None
    samples = [
        Sample(
            input=_messages(prompts[cell]),
            target=items[cell.item_id]["target"],
            id=f"{cell.item_id}::{cell.epoch}",
            metadata={"item_id": cell.item_id, "epoch": cell.epoch},
        )
        for cell in plan.cells
    ]
    schema = ResponseSchema(
        name="verdict", json_schema=JSONSchema.model_validate(REPLY_SCHEMA), strict=True
    )
    return Task(
        name=condition.slug,
        dataset=MemoryDataset(samples, name=condition.id),
        solver=ask(cache, plan.fresh),
        model=model,
        config=GenerateConfig(
            temperature=0.0,
            max_tokens=condition.grader.max_tokens,
            reasoning_effort=condition.grader.reasoning_effort,
            response_schema=schema if condition.grader.structured else None,
            **request,
        ),
        metadata=metadata,
    )


@solver
def ask(cache: bool, fresh: set[Cell]) -> Solver:
    """One call per sample, from the response cache where there is one, except for `fresh` cells.

    The cache is kept apart by epoch: replications stay independent draws. The model is called
    here, because inspect's `generate` goes on asking while a reply calls tools, and fails on a
    reply without choices; here both are answers, if blank ones.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        cell = Cell(
            state.metadata.get("item_id", str(state.sample_id)),
            state.metadata.get("epoch", state.epoch),
        )
        policy = CachePolicy(expiry=None, scopes={"epoch": str(cell.epoch)})
        is_cached = cache and cell not in fresh
        state.output = await get_model().generate(
            state.messages, cache=policy if is_cached else False
        )
        state.messages.extend(choice.message for choice in state.output.choices)
        return state

    return solve


def _messages(prompt: Prompt) -> str | list[Any]:
    if not prompt.system:
        return prompt.user
    return [ChatMessageSystem(content=prompt.system), ChatMessageUser(content=prompt.user)]


class _PlannedCellsOnly:
    """Schedules the cells of a plan and no other epoch of their items."""

    def __init__(self, cells: list[Cell]) -> None:
        self._cells = set(cells)

    async def start_task(self, task: EvalSpec, samples: list[Sample], epochs: int) -> str:
        return "planned cells only"

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:
        return None if Cell(str(id), epoch) in self._cells else EarlyStop(id=id, epoch=epoch)

    async def complete_sample(
        self, id: str | int, epoch: int, scores: dict[str, SampleScore]
    ) -> None:
        return None

    async def complete_task(self) -> dict[str, Any]:
        return {}
