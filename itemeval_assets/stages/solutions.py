"""solutions: one row per generate condition x item x epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from itemeval_assets.core.pending import Cell, Plan, State, classify_solutions
from itemeval_assets.core.prompts import Prompt, solver_prompt
from itemeval_assets.core.study import Partition, RunPlan
from itemeval_assets.engine.logs import call_rows
from itemeval_assets.engine.models import RunModels
from itemeval_assets.engine.tasks import generate_task

from .calls import make_calls
from .stage_run import Outcome, StageRun, limited_items

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["generate", "solution_cells"]


def generate(run: StageRun, partitions: list[Partition]) -> Outcome:
    """Call the models for the pending cells of these generate conditions."""
    return make_calls(_Solutions(run), run, partitions, partitions)


def solution_cells(items: Sequence[Mapping[str, Any]], extent: RunPlan) -> list[Cell]:
    """Every cell of a generate condition, item by item."""
    return [
        Cell(item["item_id"], epoch)
        for item in items
        for epoch in range(1, extent.replications + 1)
    ]


class _Solutions:
    table = "solutions"

    def __init__(self, run: StageRun) -> None:
        self._study = run.study
        self._prices = run.prices
        self._models = RunModels()
        self._conditions = run.study.design.generate_by_id()
        self._items = {row["item_id"]: row for row in run.items.to_pylist()}
        self._cells = solution_cells(limited_items(run.items, run.extent), run.extent)

    def states(self, partition: Partition, stored: pa.Table) -> dict[Cell, State]:
        rows = stored.select(["item_id", "epoch", "solution", "error"]).to_pylist()
        return classify_solutions(self._cells, rows)

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        condition = self._conditions[partition[0]]
        by_item = {id: solver_prompt(condition, self._items[id]) for id, _ in dict.fromkeys(cells)}
        return {cell: by_item[cell.item_id] for cell in cells}

    def model(self, partition: Partition) -> str:
        return self._conditions[partition[0]].model

    def max_tokens(self, partition: Partition) -> int | None:
        return self._conditions[partition[0]].params.get("max_tokens")

    def task(
        self,
        partition: Partition,
        plan: Plan,
        prompts: Mapping[Cell, Prompt],
        request: dict[str, Any],
        metadata: dict[str, Any],
    ) -> "Task":
        condition = self._conditions[partition[0]]
        solvers = self._study.config.solvers
        shared = {"on": True, "off": False}.get(solvers.cache_prompt, "auto")
        return generate_task(
            condition,
            prompts,
            self._items,
            plan,
            self._models.resolve(
                condition.model, "solvers.models", routing=solvers.provider_routing
            ),
            cache=self._study.config.cache,
            request={**request, "cache_prompt": shared},
            metadata=metadata,
        )

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        condition = self._conditions[partition[0]]
        params = condition.params
        constant = {
            "study": self._study.name,
            "run_id": run_id,
            "condition_id": condition.id,
            "condition_slug": condition.slug,
            "model": condition.model,
            "prompt_name": condition.prompt.name,
            "prompt_hash": condition.prompt.hash,
            "model_config_name": condition.model_config_name,
            "temperature_requested": params.get("temperature"),
            "top_p_requested": params.get("top_p"),
            "max_tokens_requested": params.get("max_tokens"),
            "seed_requested": params.get("seed"),
            "reasoning_effort": params.get("reasoning_effort"),
            "reasoning_tokens_requested": params.get("reasoning_tokens"),
            "log_file": log_file,
        }
        return [
            {**constant, **call, **cell._asdict(), "solution": call["completion"]}
            for cell, call in call_rows(log, condition.model, self._prices)
        ]
