"""gradings: one row per grading event, over stored solutions; nothing is generated again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from itemeval_assets.core.conditions import GRADE_VERIFIABLE, GradeCondition
from itemeval_assets.core.judge_reply import parse_judge_reply
from itemeval_assets.core.pending import (
    Cell,
    Plan,
    State,
    classify_gradings,
    plan_cells,
    solution_fingerprint,
)
from itemeval_assets.core.prompts import Prompt, judge_prompt
from itemeval_assets.core.study import Partition, Study
from itemeval_assets.core.tables import GRADINGS, arrow_schema
from itemeval_assets.core.verdict import Verdict
from itemeval_assets.core.verifiable import score_solution
from itemeval_assets.engine.logs import call_rows
from itemeval_assets.engine.models import RunModels
from itemeval_assets.engine.tasks import judge_task
from itemeval_assets.engine.usage import no_tokens

from .calls import make_calls
from .items import now
from .solutions import solution_cells
from .stage_run import Outcome, StageRun, limited_items

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["grade", "is_verifiable"]

SolutionRows = dict[Cell, dict[str, Any]]


def grade(run: StageRun, solutions: pa.Table, partitions: list[Partition]) -> Outcome:
    """Score the pending cells of these partitions: by scorer at once, by judge through calls."""
    caller = _Judgings(run, solutions)
    judged = [partition for partition in partitions if not is_verifiable(run.study, partition)]
    scored = [partition for partition in partitions if is_verifiable(run.study, partition)]
    outcome = make_calls(caller, run, judged, partitions)
    for partition in scored:
        rows = caller.score(partition)
        outcome.pending[partition] = len(rows)
        outcome.rows = pa.concat_tables(
            [outcome.rows, pa.Table.from_pylist(rows, schema=arrow_schema(GRADINGS))]
        )
    return outcome


def is_verifiable(study: Study, partition: Partition) -> bool:
    """Whether a partition is graded by a scorer, without a call."""
    return study.design.grade_by_id()[partition[1]].kind == GRADE_VERIFIABLE


class _Judgings:
    table = "gradings"

    def __init__(self, run: StageRun, solutions: pa.Table) -> None:
        self._run = run
        self._study = run.study
        self._prices = run.prices
        self._models = RunModels()
        self._conditions = run.study.design.grade_by_id()
        self._items = {row["item_id"]: row for row in run.items.to_pylist()}
        self._cells = solution_cells(limited_items(run.items, run.extent), run.extent)
        self._solutions = _by_condition(solutions)

    def states(self, partition: Partition, stored: pa.Table) -> dict[Cell, State]:
        return classify_gradings(
            self._cells,
            self._solutions.get(partition[0], {}).values(),
            stored.select(["item_id", "epoch", "error", "solution_hash"]).to_pylist(),
            self._study.config.solvers.on_empty,
        )

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        condition, solutions = self._conditions[partition[1]], self._solutions[partition[0]]
        return {
            cell: judge_prompt(condition, self._items[cell.item_id], solutions[cell]["solution"])
            for cell in cells
        }

    def model(self, partition: Partition) -> str:
        grader = self._conditions[partition[1]].grader
        assert grader is not None
        return grader.model

    def max_tokens(self, partition: Partition) -> int | None:
        grader = self._conditions[partition[1]].grader
        return grader.max_tokens if grader else None

    def task(
        self,
        partition: Partition,
        plan: Plan,
        prompts: Mapping[Cell, Prompt],
        request: dict[str, Any],
        metadata: dict[str, Any],
    ) -> "Task":
        condition = self._conditions[partition[1]]
        assert condition.grader is not None
        return judge_task(
            condition,
            prompts,
            self._items,
            plan,
            self._models.resolve(
                condition.grader.model,
                f"graders.{condition.grader_name}",
                judge=True,
                routing=condition.grader.provider_routing,
            ),
            cache=self._study.config.cache,
            request={**request, "cache_prompt": "auto"},
            metadata={
                **metadata,
                "solution_hashes": {
                    f"{cell.item_id}::{cell.epoch}": self._fingerprint(partition, cell)
                    for cell in plan.cells
                },
            },
        )

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        # From the log, not from the solutions of today: those may have changed since the call.
        graded = (log.eval.metadata or {}).get("solution_hashes", {})
        rows = []
        for cell, call in call_rows(log, self.model(partition), self._prices):
            verdict = None if call["error"] else parse_judge_reply(call["completion"])
            rows.append(
                {
                    **self._constant(partition, run_id),
                    **call,
                    **_verdict_columns(verdict),
                    **cell._asdict(),
                    "judge_completion": call["completion"],
                    "log_file": log_file,
                    "solution_hash": graded.get(f"{cell.item_id}::{cell.epoch}"),
                }
            )
        return rows

    def score(self, partition: Partition) -> list[dict[str, Any]]:
        """Rows of the pending cells of a verifiable partition."""
        condition = self._conditions[partition[1]]
        states = self.states(partition, self._run.store.read("gradings", [partition]))
        plan = plan_cells(states, rerun_blank=False, force=self._run.force)
        stamp = now()
        return [
            {
                **self._constant(partition, self._run.run_id),
                **_verdict_columns(self._verdict(condition, partition, cell)),
                **no_tokens(),
                **cell._asdict(),
                "usd": 0.0,
                "created_at": stamp,
                "solution_hash": self._fingerprint(partition, cell),
            }
            for cell in plan.cells
        ]

    def _verdict(self, condition: GradeCondition, partition: Partition, cell: Cell) -> Verdict:
        solution = self._solutions[partition[0]][cell]["solution"] or ""
        return score_solution(condition.scorer or "", solution, self._items[cell.item_id]["target"])

    def _fingerprint(self, partition: Partition, cell: Cell) -> str:
        return solution_fingerprint(self._solutions[partition[0]][cell]["solution"])

    def _constant(self, partition: Partition, run_id: str) -> dict[str, Any]:
        condition = self._conditions[partition[1]]
        return {
            "study": self._study.name,
            "run_id": run_id,
            "grade_condition_id": condition.id,
            "grade_condition_slug": condition.slug,
            "gen_condition_id": partition[0],
            "grade_kind": condition.kind,
            "grader_name": condition.grader_name,
            "grader_model": condition.grader.model if condition.grader else None,
            "rubric_name": condition.rubric.name if condition.rubric else None,
            "rubric_hash": condition.rubric.hash if condition.rubric else None,
            "scorer_name": condition.scorer,
        }


def _verdict_columns(verdict: Verdict | None) -> dict[str, Any]:
    """The result columns; all empty, and parse_ok false, when the judge call failed."""
    if verdict is None:
        return {"score": None, "score_raw": None, "parse_ok": False, "parse_error": None}
    return {
        "score": verdict.score,
        "score_raw": verdict.score_raw or None,
        "parse_ok": verdict.parse_ok,
        "parse_error": verdict.parse_error,
        "reasoning": verdict.reasoning or None,
    }


def _by_condition(solutions: pa.Table) -> dict[str, SolutionRows]:
    grouped: dict[str, SolutionRows] = {}
    columns = ["condition_id", "item_id", "epoch", "solution", "error"]
    for row in solutions.select(columns).to_pylist():
        cell = Cell(row["item_id"], row["epoch"])
        grouped.setdefault(row["condition_id"], {})[cell] = row
    return grouped
