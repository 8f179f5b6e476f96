"""What each partition of a run would call: the predicates of the runs, without a call.

Cells are looked at in whole columns: a million of them take seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell, Pending
from itemeval_assets.core.design.partitions import GENERATE, STAGES, Partition
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.errors import ModelError
from itemeval_assets.core.money.projection.estimate import (
    Calibration,
    Call,
    Projection,
    calibrate,
    likely_tokens,
    project,
    tokens_at_most,
)
from itemeval_assets.core.money.projection.sizes import (
    shown_at_most,
    shown_likely,
    sizes_of,
    text_sizes,
)
from itemeval_assets.core.prompts import long_solutions
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.engine.models.response_cache import cached_answers, has_answers
from itemeval_assets.stages.calls.making import pending_of
from itemeval_assets.stages.calls.stage_run import Caller, Scope
from itemeval_assets.stages.gradings import GradingCaller
from itemeval_assets.stages.item_rubrics import ItemRubrics, RubricCaller
from itemeval_assets.stages.solutions import caller_of

from .observed import models_of, observed
from .prompts import StudyPrompts


@dataclass(frozen=True)
class PartitionEstimate:
    """One partition: its full grid, and what of it remains to be called.

    `basis` says which stored calls the expected figures come from; null: there are none.
    `unreachable`: why the model of the remaining calls cannot be had, for want of a key, say.
    `waiting_usd`: what of the ceiling is that of calls in batches, whose answers are collected.
    """

    partition: Partition
    label: str
    model: str
    grid: Projection
    remaining: Projection
    basis: str | None
    unreachable: str | None = None
    waiting_usd: float = 0.0


class CellTokens(NamedTuple):
    """A partition cell by cell, in the order of its grid.

    `most_input` and `likely_input`: int64[cells]. `paid`: bool[cells], those that a run would call
    and pay for; `has`: bool[cells], those that the partition has. `output` is of one cell, at most.
    """

    model: str
    most_input: np.ndarray
    likely_input: np.ndarray
    output: int
    paid: np.ndarray
    has: np.ndarray
    calibration: Calibration | None


class _Tokens(NamedTuple):
    """int64[cells]: the tokens that the prompt of each cell may take at most, and probably."""

    most: np.ndarray
    likely: np.ndarray


class _Coming(NamedTuple):
    """Solutions to come: bool[cells], the texts that the response cache has, by place, and the
    tokens of the others.
    """

    cells: np.ndarray
    cached: dict[int, str]
    most: int
    likely: int


class _Shown(NamedTuple):
    """The solutions of one generate condition, stored and to come, as judges are shown them.

    `sizes`: int64[cells, 2] of the texts that are known; `unknown`: the tokens of the others.
    """

    sizes: np.ndarray
    is_known: np.ndarray
    unknown: _Tokens


class _Graded(NamedTuple):
    """The solutions of one generate condition, for all its judges.

    `shown`: by the most characters that a judge is shown of one; null: all of it.
    """

    judge: GradingCaller
    solutions: pa.Table
    shown: dict[int | None, _Shown]


class Foresight:
    """Walks over the partitions of a study; what generating yields is passed on to grading."""

    def __init__(
        self,
        scope: Scope,
        selection: Selection,
        in_full: bool,
        by_cell: dict[Partition, CellTokens] | None = None,
    ) -> None:
        self._scope, self._in_full, self._grid = scope, in_full, scope.grid
        # Filled where it is asked for: it is as large as all cells together.
        self._by_cell = by_cell
        self._item_of = np.arange(len(scope.grid)) // scope.extent.replications
        self._to_generate = set(selection.of(GENERATE))
        self._solver, self._prompts = caller_of(scope), StudyPrompts(scope)
        self._graded: dict[Partition, _Graded] = {}
        self._coming: dict[Partition, _Coming] = {}
        self.unreachable: dict[str, str] = {}
        self.calibrations = {
            stage: calibrate(
                observed(scope, stage, self._prompts) if in_full else [], models_of(scope, stage)
            )
            for stage in STAGES[1:]
        }
        # Rubrics that a run would have written first: bool[cells] by the id of their condition.
        self._rubrics_coming: dict[str, np.ndarray] = {}

    def of_solutions(self, partition: Partition) -> PartitionEstimate:
        """What generating a partition would call. Before `of_gradings` of the same solutions."""
        scope, solver = self._scope, self._solver
        stored = scope.stored(partition, solver.state_columns)
        pending = pending_of(solver, scope, partition, stored)
        if partition not in self._to_generate:
            pending = pending._replace(cells=np.zeros_like(pending.cells))
        # No run calls for answers that come from logs alone, whatever the design has.
        from_logs = scope.study.config.benchmark.from_logs
        shown = pending.cells if from_logs else self._shown(partition, pending.cells)
        cached = self._cached(
            solver,
            partition,
            pending,
            pending.cells,
            lambda cells: solver.prompts(partition, cells),
        )
        if partition in self._to_generate:
            calibration = self.calibrations[GENERATE][solver.model(partition)]
            most = solver.output_limit(partition)[0]
            likely = round(calibration.output_tokens) if calibration else most
            self._coming[partition] = _Coming(pending.cells, cached, most, likely)
        tokens = self._tokens(partition, np.zeros((len(self._grid), 2), np.int64), shown)
        return self._estimate(solver, partition, tokens, shown, pending.cells, cached)

    def of_rubrics(self, partition: Partition) -> PartitionEstimate:
        """What it would call to have rubrics written. Before `of_gradings` by them."""
        scope, writer = self._scope, RubricCaller(self._scope)
        stored = scope.stored(partition, writer.state_columns)
        pending = pending_of(writer, scope, partition, stored)
        size, id = scope.extent.replications, partition.condition_id
        items = pending.cells[::size]
        self._rubrics_coming[id] = np.repeat(items, size)
        whole = np.zeros(scope.items.num_rows, bool)
        whole[: len(items)] = items
        self._prompts.expect_rubrics(id, whole)
        shown = self._shown(partition, pending.cells)
        cached = self._cached(
            writer,
            partition,
            pending,
            pending.cells,
            lambda cells: writer.prompts(partition, cells),
        )
        tokens = self._tokens(partition, np.zeros((len(self._grid), 2), np.int64), shown)
        return self._estimate(writer, partition, tokens, shown, pending.cells, cached)

    def of_gradings(self, partition: Partition) -> PartitionEstimate:
        """What grading a partition would call, also of the solutions that are still to come."""
        scope, generate = self._scope, partition.solutions
        graded, coming = self._solutions(generate), self._coming.get(generate)
        judge = graded.judge
        solutions = self._shown_of(graded, generate, judge.most_chars(partition))
        stored = scope.stored(partition, judge.state_columns)
        pending = pending_of(judge, scope, partition, stored)
        if coming:
            to_grade = pending.cells | (coming.cells & judge.has_rubric(partition))
            pending = pending._replace(cells=to_grade & scope.anchors.of(partition))

        def prompts(cells: list[Cell]) -> dict[Cell, Prompt]:
            stored = judge.texts(generate.generate)
            new = coming.cached if coming else {}
            to_come = dict(zip(self._grid.cells(new), new.values(), strict=True))
            texts = {cell: (to_come if cell in to_come else stored)[cell] for cell in cells}
            return judge.prompts_for(partition, texts)

        asked = pending.cells & solutions.is_known & ~self._waits_for_rubric(partition)
        cached = self._cached(judge, partition, pending, asked, prompts)
        shown, unknown = self._shown(partition, pending.cells), solutions.unknown
        known = self._tokens(partition, solutions.sizes, shown)
        tokens = _Tokens(known.most + unknown.most, known.likely + unknown.likely)
        return self._estimate(judge, partition, tokens, shown, pending.cells, cached)

    def _waits_for_rubric(self, partition: Partition) -> np.ndarray:
        """bool[cells]: the gradings by a rubric that is still to be written."""
        rubric = self._scope.study.design.rubric_of(partition)
        none = np.zeros(len(self._grid), bool)
        return self._rubrics_coming.get(rubric.condition_id, none) if rubric else none

    def _shown(self, partition: Partition, pending: np.ndarray) -> np.ndarray:
        """bool[cells]: the cells that the estimate of a whole partition is about."""
        return self._scope.anchors.of(partition) if self._in_full else pending

    def _tokens(self, partition: Partition, solutions: np.ndarray, shown: np.ndarray) -> _Tokens:
        if not shown.any():
            return _Tokens(*np.zeros((2, len(shown)), np.int64))
        sizes = self._prompts.sizes(partition).with_solutions(self._item_of, solutions)
        return _Tokens(tokens_at_most(sizes[:, 1]), likely_tokens(sizes[:, 0]))

    def _solutions(self, generate: Partition) -> _Graded:
        """One caller for all judges of the same solutions."""
        if generate not in self._graded:
            columns = ["condition_id", *self._solver.state_columns]
            solutions = self._scope.stored(generate, columns)
            rubrics = ItemRubrics(self._scope, self._rubrics_coming)
            judge = GradingCaller(self._scope, solutions, rubrics=rubrics)
            self._graded = {generate: _Graded(judge, solutions, {})}
        return self._graded[generate]

    def _shown_of(self, graded: _Graded, generate: Partition, most: int | None) -> _Shown:
        """What judges are shown of the solutions: at most so many characters of each."""
        if most not in graded.shown:
            sizes, has_row, is_known = text_sizes(self._grid, graded.solutions, most)
            limit = shown_at_most(self._solver.output_limit(generate)[0], most)
            unknown = _Tokens(np.where(has_row, 0, limit), np.zeros(len(self._grid), np.int64))
            graded.shown[most] = _Shown(sizes, is_known, unknown)
            if coming := self._coming.get(generate):
                self._take_in(coming, graded.shown[most], most)
        return graded.shown[most]

    @staticmethod
    def _take_in(coming: _Coming, known: _Shown, most: int | None) -> None:
        """Put the solutions to come in the place of those that are stored."""
        cells, cached = coming.cells, list(coming.cached)
        known.is_known[cells], known.sizes[cells] = False, 0
        known.unknown.most[cells] = shown_at_most(coming.most, most)
        known.unknown.likely[cells] = shown_likely(coming.likely, most)
        texts = (long_solutions.shown(text, most) or "" for text in coming.cached.values())
        known.is_known[cached], known.sizes[cached] = True, sizes_of(texts)
        known.unknown.most[cached] = known.unknown.likely[cached] = 0

    def _cached(
        self,
        caller: Caller,
        partition: Partition,
        pending: Pending,
        asked: np.ndarray,
        prompts: Callable[[list[Cell]], dict[Cell, Prompt]],
    ) -> dict[int, str]:
        """What the response cache has of the cells that are asked, by place.

        Without the model, for want of a key, nobody can look.
        """
        if not pending.cells.any():
            return {}
        try:
            target = caller.target(partition)
        except ModelError as error:
            self.unreachable[caller.model(partition)] = str(error)
            return {}
        places = np.flatnonzero(asked & ~pending.fresh).tolist()
        if not (self._scope.study.config.cache and places and has_answers(target.model)):
            return {}
        if not caller.can_make_samples():
            return {}
        waits = self._scope.waiting.get(partition, {})
        cells = self._grid.cells(places)
        places = [place for place, cell in zip(places, cells, strict=True) if cell not in waits]
        cells = [cell for cell in cells if cell not in waits]
        samples = caller.samples(prompts(cells))
        found = cached_answers(target.model, target.config, target.scopes, samples)
        return {
            place: found[cell] for place, cell in zip(places, cells, strict=True) if cell in found
        }

    def _estimate(
        self,
        caller: Caller,
        partition: Partition,
        tokens: _Tokens,
        shown: np.ndarray,
        pending: np.ndarray,
        cached: dict[int, str],
    ) -> PartitionEstimate:
        model = caller.model(partition)
        limit, is_capped = caller.output_limit(partition)
        each = caller.calls_per_cell(partition)
        tokens = _Tokens(each.most_input(tokens.most, limit), tokens.likely)
        calibration = self.calibrations[partition.stage][model]

        def projection(cells: np.ndarray, free: int) -> Projection:
            calls = int(cells.sum())
            most, likely = (int(found[cells].sum()) for found in tokens)
            return project(
                model,
                [Call(most, calls * each.most_output(limit), likely, calls)] if calls else [],
                self._scope.usd,
                cached=free,
                calibration=calibration,
                is_capped=is_capped,
            )

        paid = pending.copy()
        paid[list(cached)] = False
        if self._by_cell is not None:
            self._by_cell[partition] = CellTokens(
                model, *tokens, each.most_output(limit), paid, shown, calibration
            )
        return PartitionEstimate(
            partition,
            self._scope.study.design.label_of(partition),
            model,
            projection(shown, 0),
            projection(paid, int(pending.sum() - paid.sum())),
            calibration.basis if calibration else None,
            self.unreachable.get(model) if pending.any() else None,
            self._waiting_usd(partition, pending),
        )

    def _waiting_usd(self, partition: Partition, pending: np.ndarray) -> float:
        waits = self._scope.waiting.get(partition)
        if not waits:
            return 0.0
        cells = self._grid.cells(np.flatnonzero(pending).tolist())
        return sum(sum(waits[cell].values()) for cell in cells if cell in waits)
