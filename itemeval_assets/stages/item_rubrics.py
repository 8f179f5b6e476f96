"""item_rubrics: one row per rubric that a model writes x item, for all gradings by it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from itemeval_assets.core.design.cells.item_rubrics import (
    HASH_COLUMNS,
    RUBRIC_STATE_COLUMNS,
    are_written,
    by_rubrics,
    classify_rubrics,
    rubric_hash,
    texts_of,
)
from itemeval_assets.core.design.cells.pending import Cell, Gradable, Grid, Pending, States
from itemeval_assets.core.design.partitions import RUBRIC, Partition
from itemeval_assets.core.money.projection.estimate import output_limit
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.engine.calls.evaluate import request_settings
from itemeval_assets.engine.calls.tasks import Target, generate_config, make_sample
from itemeval_assets.engine.rows import call_rows

from .calls.making import make_calls
from .calls.stage_run import Scope, StageRun
from .outcome import Outcome
from .prompt_calls import PromptCaller

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog


def write(run: StageRun, partitions: list[Partition]) -> Outcome:
    """Have the rubrics written that are not there. One that is there is never written again."""
    return make_calls(RubricCaller(run), run, partitions, partitions)


class ItemRubrics:
    """The rubrics of a study that models have written, each condition read once.

    `coming`: bool[cells] by condition, those that a run is about to have written.
    """

    def __init__(self, scope: Scope, coming: Mapping[str, np.ndarray] | None = None) -> None:
        self._scope, self._coming = scope, coming or {}
        self._rows: dict[str, pa.Table] = {}
        self._texts: dict[str, Mapping[str, str]] = {}

    def texts(self, condition: str) -> Mapping[str, str]:
        """{item_id: its rubric} of those that are there."""
        if condition not in self._texts:
            self._texts[condition] = texts_of(self._rows_of(condition))
        return self._texts[condition]

    def gradable(self, solutions: Gradable, condition: str) -> Gradable:
        """What of these solutions can be graded: their items have a rubric."""
        rows, coming = self._rows_of(condition), self._coming.get(condition)
        return by_rubrics(solutions, rows, coming)[0]

    def are_there(self, grid: Grid, condition: str) -> np.ndarray:
        """bool[cells]: whether the item has a rubric, or gets one."""
        return are_written(grid, self._rows_of(condition), self._coming.get(condition))

    def _rows_of(self, condition: str) -> pa.Table:
        if condition not in self._rows:
            found = self._scope.stored(Partition((condition,)), HASH_COLUMNS)
            self._rows[condition] = found
        return self._rows[condition]


class RubricCaller(PromptCaller):
    """Calls the models that write rubrics: a prompt per item, in the place of its replication 1."""

    stage = RUBRIC
    state_columns = RUBRIC_STATE_COLUMNS

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._study = scope.study
        self._conditions = scope.study.design.written_by_id
        self._items, self._grid = scope.items_by_id, scope.grid

    def states(self, partition: Partition, stored: pa.Table) -> States:
        return classify_rubrics(self._grid, stored)

    def unsettled(self, partition: Partition, pending: Pending) -> Pending:
        return pending

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        condition = self._conditions[partition.condition_id]
        return {cell: condition.prompt_for(self._items[cell.item_id]) for cell in cells}

    def model(self, partition: Partition) -> str:
        return self._conditions[partition.condition_id].model

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        given = self._conditions[partition.condition_id].params.get("max_tokens")
        return output_limit(given), given is not None

    def target(self, partition: Partition) -> Target:
        condition, solvers = self._conditions[partition.condition_id], self._study.config.solvers
        model = self._scope.resolve(
            condition.model,
            condition.where,
            routing=condition.provider_routing,
            mock_reply=condition.mock_reply,
        )
        called, batch = self._scope.called_as(condition.model), self._scope.batch(condition.model)
        request = {**request_settings(solvers, called, batch), "cache_prompt": "auto"}
        return Target(condition.slug, model, generate_config(condition, request))

    def can_make_samples(self) -> bool:
        return True

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        return {
            cell: (
                make_sample(
                    cell.item_id, prompt, self._items[cell.item_id]["target"], cell._asdict()
                ),
                1,
            )
            for cell, prompt in prompts.items()
        }

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        return {}

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        condition = self._conditions[partition.condition_id]
        constant = {
            "study": self._study.name,
            "run_id": run_id,
            "condition_id": condition.id,
            "condition_slug": condition.slug,
            "rubric_name": condition.name,
            "model": condition.model,
            "template_name": condition.template.name,
            "template_hash": condition.template.hash,
            "log_file": log_file,
            "edited": False,
        }
        return [
            {**constant, **call, **cell._asdict(), **_written(call)}
            for cell, call in call_rows(log, condition.model, self._scope.prices)
        ]


def _written(call: Mapping[str, Any]) -> dict[str, Any]:
    """The text of a reply, and its hash. A call that failed has written none, and so has one whose
    reply is blank: nobody can grade by that, and a run asks again.
    """
    text, error = call["completion"], call["error"]
    if not error and not (text or "").strip():
        error = f"the reply is blank (it ended by {call['stop_reason']}): there is no rubric"
    if error:
        return {"rubric": None, "item_rubric_hash": None, "error": error}
    return {"rubric": text, "item_rubric_hash": rubric_hash(text)}
