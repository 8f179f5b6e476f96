"""gradings: one row per grading event, over stored solutions; nothing is generated again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.config.sections import GraderConfig
from itemeval_assets.core.design.conditions import GRADE_VERIFIABLE, GradeCondition
from itemeval_assets.core.design.pending import (
    GRADING_STATE_COLUMNS,
    Cell,
    Gradable,
    States,
    classify_gradings,
    gradable_solutions,
    plan_cells,
    solution_fingerprint,
)
from itemeval_assets.core.design.prompts import Prompt, judge_prompt
from itemeval_assets.core.design.study import Partition, Study
from itemeval_assets.core.grading.judge_reply import parse_judge_reply
from itemeval_assets.core.grading.scorers import SCORER_VERSIONS, score_solution
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.money.estimate import output_limit
from itemeval_assets.core.tables.schemas import GRADINGS, arrow_schema
from itemeval_assets.engine.calls.evaluate import request_settings
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.engine.calls.tasks import Target, judge_config, make_sample
from itemeval_assets.engine.logs.usage import no_tokens
from itemeval_assets.engine.rows import call_rows

from .calls.making import make_calls
from .calls.stage_run import Outcome, Scope, StageRun, grid_of
from .items import now

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog

__all__ = ["GradingCaller", "grade", "is_verifiable"]


def grade(run: StageRun, solutions: pa.Table, partitions: list[Partition]) -> Outcome:
    """Score the pending cells of these partitions: by scorer at once, by judge through calls."""
    caller = GradingCaller(run, solutions)
    judged = [partition for partition in partitions if not is_verifiable(run.study, partition)]
    scored = [partition for partition in partitions if is_verifiable(run.study, partition)]
    outcome = make_calls(caller, run, judged, partitions)
    for partition in () if run.recover_only else scored:
        rows = caller.score(partition, run.run_id)
        outcome.pending[partition] = len(rows)
        outcome.rows = pa.concat_tables(
            [outcome.rows, pa.Table.from_pylist(rows, schema=arrow_schema(GRADINGS))]
        )
    return outcome


def is_verifiable(study: Study, partition: Partition) -> bool:
    """Whether a partition is graded by a scorer, without a call."""
    return study.design.grade_by_id()[partition[1]].kind == GRADE_VERIFIABLE


class GradingCaller:
    """Grades stored solutions: by a judge, one call each, or by a scorer, without any."""

    table = "gradings"
    state_columns = GRADING_STATE_COLUMNS

    def __init__(self, scope: Scope, solutions: pa.Table) -> None:
        self._scope = scope
        self._study = scope.study
        self._models = RunModels()
        self._conditions = scope.study.design.grade_by_id()
        self._items = {row["item_id"]: row for row in scope.items.to_pylist()}
        self._grid = grid_of(scope.items, scope.extent)
        self._stored = solutions
        # Of each generate condition, once for all its graders.
        self._gradable: dict[str, Gradable] = {}
        self._texts: dict[str, dict[Cell, str | None]] = {}

    def states(self, partition: Partition, stored: pa.Table) -> States:
        return classify_gradings(self._gradable_of(partition[0]), stored)

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        texts = self.texts(partition[0])
        return self.prompts_for(partition, {cell: texts.get(cell) for cell in cells})

    def texts(self, condition: str) -> dict[Cell, str | None]:
        """The stored solutions of a generate condition."""
        if condition not in self._texts:
            rows = self._of(condition).select(["item_id", "epoch", "solution"]).to_pylist()
            self._texts[condition] = {
                Cell(row["item_id"], row["epoch"]): row["solution"] for row in rows
            }
        return self._texts[condition]

    def _of(self, condition: str) -> pa.Table:
        return self._stored.filter(pc.field("condition_id") == condition)

    def _gradable_of(self, condition: str) -> Gradable:
        if condition not in self._gradable:
            self._gradable[condition] = gradable_solutions(
                self._grid, self._of(condition), self._study.config.solvers.on_empty
            )
        return self._gradable[condition]

    def prompts_for(
        self, partition: Partition, solutions: Mapping[Cell, str | None]
    ) -> dict[Cell, Prompt]:
        """What the judge would be shown for these solutions, stored or not."""
        condition = self._conditions[partition[1]]
        return {
            cell: judge_prompt(condition, self._items[cell.item_id], text)
            for cell, text in solutions.items()
        }

    def model(self, partition: Partition) -> str:
        return self._grader(partition).model

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        given = self._grader(partition).max_tokens
        return output_limit(given), given is not None

    def target(self, partition: Partition) -> Target:
        condition, grader = self._conditions[partition[1]], self._grader(partition)
        model = self._models.resolve(
            grader.model,
            f"graders.{condition.grader_name}",
            judge=True,
            routing=grader.provider_routing,
        )
        batch = self._scope.batch(grader.model)
        request = request_settings(self._study.config.solvers, grader.model, batch)
        return Target(
            condition.slug, model, judge_config(condition, {**request, "cache_prompt": "auto"})
        )

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        return {
            cell: (
                make_sample(
                    f"{cell.item_id}::{cell.epoch}",
                    prompt,
                    self._items[cell.item_id]["target"],
                    cell._asdict(),
                ),
                1,
            )
            for cell, prompt in prompts.items()
        }

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        hashes = {
            f"{cell.item_id}::{cell.epoch}": self._fingerprint(partition, cell) for cell in cells
        }
        return {"solution_hashes": hashes}

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        # From the log, not from the solutions of today: those may have changed since the call.
        graded = (log.eval.metadata or {}).get("solution_hashes", {})
        rows = []
        for cell, call in call_rows(log, self.model(partition), self._scope.prices):
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

    def score(self, partition: Partition, run_id: str) -> list[dict[str, Any]]:
        """Rows of the pending cells of a verifiable partition."""
        condition = self._conditions[partition[1]]
        stored = self._scope.store.read("gradings", [partition], self.state_columns)
        states = self.states(partition, stored)
        plan = plan_cells(states, rerun_blank=False, force=self._scope.force)
        stamp = now()
        return [
            {
                **self._constant(partition, run_id),
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
        solution = self.texts(partition[0])[cell] or ""
        return score_solution(condition.scorer or "", solution, self._items[cell.item_id]["target"])

    def _grader(self, partition: Partition) -> GraderConfig:
        grader = self._conditions[partition[1]].grader
        assert grader is not None
        return grader

    def _fingerprint(self, partition: Partition, cell: Cell) -> str:
        return solution_fingerprint(self.texts(partition[0])[cell])

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
            "scorer_version": SCORER_VERSIONS.get(condition.scorer or ""),
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
