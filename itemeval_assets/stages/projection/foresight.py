"""What each partition of a run would call: the predicates of the runs, without a call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition
from itemeval_assets.core.design.pending import Cell, Plan
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.errors import ModelError
from itemeval_assets.core.money.estimate import Call, Projection, calibrate, project
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.engine.models.response_cache import cached_answers
from itemeval_assets.stages.calls.making import call_sizes, plan_of
from itemeval_assets.stages.calls.stage_run import Caller, Scope, grid_of
from itemeval_assets.stages.gradings import GradingCaller
from itemeval_assets.stages.solutions import SolutionCaller

from .observed import models_of, observed


@dataclass(frozen=True)
class PartitionEstimate:
    """One partition: its full grid, and what of it remains to be called.

    `basis` says which stored calls the expected figures come from; null: there are none.
    `unreachable`: why the model of the remaining calls cannot be had, for want of a key, say.
    """

    partition: Partition
    label: str
    model: str
    grid: Projection
    remaining: Projection
    basis: str | None
    unreachable: str | None = None


class _Solution(NamedTuple):
    """A solution to be graded: its text, or, while nobody knows that, its most and likely size."""

    text: str | None
    most_tokens: int = 0
    likely_tokens: int = 0


class Foresight:
    """Walks over the partitions of a study; what generating yields is passed on to grading."""

    def __init__(self, scope: Scope, selection: Selection, in_full: bool) -> None:
        self._scope, self._in_full = scope, in_full
        self._to_generate = set(selection.of(GENERATE))
        self._solver = SolutionCaller(scope)
        self._grid = grid_of(scope.items, scope.extent)
        self._judges: dict[Partition, GradingCaller] = {}
        self._coming: dict[Partition, dict[Cell, _Solution]] = {}
        self.unreachable: dict[str, str] = {}
        self.calibrations = {
            stage: calibrate(observed(scope, stage) if in_full else [], models_of(scope, stage))
            for stage in (GENERATE, GRADE)
        }

    def of_solutions(self, partition: Partition) -> PartitionEstimate:
        """What generating a partition would call. Before `of_gradings` of the same solutions."""
        scope, solver = self._scope, self._solver
        stored = scope.store.read("solutions", [partition], solver.state_columns)
        plan = plan_of(solver, scope, partition, stored)
        cells = self._grid.cells() if self._in_full else plan.cells
        prompts = solver.prompts(partition, cells)
        known = call_sizes(solver, partition, prompts)
        cached = self._cached(solver, partition, plan, prompts)
        if partition in self._to_generate:
            calibration = self.calibrations[GENERATE][solver.model(partition)]
            most = solver.output_limit(partition)[0]
            likely = round(calibration.output_tokens) if calibration else most
            self._coming[partition] = {
                cell: _Solution(cached[cell]) if cell in cached else _Solution(None, most, likely)
                for cell in plan.cells
            }
        else:
            plan = Plan([], set())
        return self._estimate(solver, partition, known, plan, cached)

    def of_gradings(self, partition: Partition) -> PartitionEstimate:
        """What grading a partition would call, also of the solutions that are still to come."""
        scope, generate = self._scope, partition.solutions
        judge = self._judge(generate)
        stored = scope.store.read("gradings", [partition], judge.state_columns)
        plan = plan_of(judge, scope, partition, stored)
        coming, planned = self._coming.get(generate, {}), set(plan.cells)
        if not (self._in_full or coming or planned):
            return self._estimate(judge, partition, {}, plan, {})
        texts = {cell: _Solution(text) for cell, text in judge.texts(generate[0]).items()}
        cells = self._grid.cells()
        pending = [cell for cell in cells if cell in coming or cell in planned]
        unknown = _Solution(None, self._solver.output_limit(generate)[0])
        shown = cells if self._in_full else pending
        to_grade = {cell: coming.get(cell) or texts.get(cell, unknown) for cell in shown}
        texts_known = {cell: solution.text for cell, solution in to_grade.items()}
        prompts = judge.prompts_for(partition, texts_known)
        sizes = call_sizes(judge, partition, prompts)
        for cell, solution in to_grade.items():
            if solution.text is None:
                call = sizes[cell]
                sizes[cell] = call._replace(
                    most_input=call.most_input + solution.most_tokens,
                    likely_input=call.likely_input + solution.likely_tokens,
                )
        plan = Plan(pending, plan.fresh)
        asked = {cell: prompts[cell] for cell in pending if to_grade[cell].text is not None}
        cached = self._cached(judge, partition, plan, asked)
        return self._estimate(judge, partition, sizes, plan, cached)

    def _judge(self, generate: Partition) -> GradingCaller:
        """One caller for all judges of the same solutions."""
        if generate not in self._judges:
            columns = ["condition_id", *self._solver.state_columns]
            solutions = self._scope.store.read("solutions", [generate], columns)
            self._judges = {generate: GradingCaller(self._scope, solutions)}
        return self._judges[generate]

    def _cached(
        self, caller: Caller, partition: Partition, plan: Plan, prompts: Mapping[Cell, Prompt]
    ) -> dict[Cell, str]:
        """What the response cache has. Without the model, for want of a key, nobody can look."""
        if not plan.cells:
            return {}
        try:
            target = caller.target(partition)
        except ModelError as error:
            self.unreachable[caller.model(partition)] = str(error)
            return {}
        asked = {
            cell: prompts[cell] for cell in plan.cells if cell in prompts and cell not in plan.fresh
        }
        if not self._scope.study.config.cache or not asked:
            return {}
        return cached_answers(target.model, target.config, caller.samples(asked))

    def _estimate(
        self,
        caller: Caller,
        partition: Partition,
        calls: Mapping[Cell, Call],
        plan: Plan,
        cached: Mapping[Cell, str],
    ) -> PartitionEstimate:
        model = caller.model(partition)
        calibration = self.calibrations[partition.stage][model]

        def projection(cells: Iterable[Cell], free: int) -> Projection:
            return project(
                model,
                [calls[cell] for cell in cells],
                self._scope.usd,
                cached=free,
                calibration=calibration,
                is_capped=caller.output_limit(partition)[1],
            )

        paid = [cell for cell in plan.cells if cell not in cached]
        return PartitionEstimate(
            partition,
            self._scope.study.design.label_of(partition),
            model,
            projection(calls, 0),
            projection(paid, len(plan.cells) - len(paid)),
            calibration.basis if calibration else None,
            self.unreachable.get(model) if plan.cells else None,
        )
