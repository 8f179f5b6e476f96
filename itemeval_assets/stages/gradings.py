"""gradings: one row per grading event, over stored solutions; nothing is generated again."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from itemeval_assets.core.design.cells.item_rubrics import rubric_hash
from itemeval_assets.core.design.cells.pending import (
    GRADING_STATE_COLUMNS,
    Cell,
    Gradable,
    Pending,
    States,
    classify_gradings,
    gradable_in_logs,
    gradable_solutions,
    pending_cells,
    solution_fingerprint,
)
from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.grading.grader import Grader, ModelCall
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.money.projection.estimate import output_limit
from itemeval_assets.core.prompts.long_solutions import not_shown
from itemeval_assets.core.prompts.prompts import ITEM_RUBRIC, Item, Prompt
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.calls.evaluate import request_settings
from itemeval_assets.engine.calls.tasks import (
    Target,
    grading_config,
    make_sample,
)
from itemeval_assets.engine.logs.usage import no_tokens
from itemeval_assets.engine.rows import call_rows
from itemeval_assets.engine.scorers.process import Answer, verdicts

from .calls.making import make_calls
from .calls.stage_run import Scope, StageRun
from .criteria import read_criteria
from .item_rubrics import ItemRubrics
from .kept import KeptGradings
from .outcome import Outcome
from .prompt_calls import PromptCaller
from .tasks.scores import ScoredByTask
from .verdict_columns import verdict_columns

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog

# In a log's metadata: how many characters of each solution the judge was not shown, if any.
_NOT_SHOWN = "solution_chars_not_shown"
# And by which rubric each item was graded, where a model has written it.
_RUBRICS = "item_rubric_hashes"


def grade(run: StageRun, solutions: pa.Table, partitions: list[Partition]) -> Outcome:
    """Grade the pending cells of these partitions: through calls, and at once where none is due.

    What criteria have of the replies comes last.
    """
    design = run.study.design
    asked = [partition for partition in partitions if not design.is_free(partition)]
    criteria = [partition for partition in partitions if design.total_of(partition)]
    others = [part for part in partitions if design.is_free(part) and not design.total_of(part)]
    with KeptGradings(run.store, run.run_id) as kept:
        caller = GradingCaller(run, solutions, kept)
        outcome = make_calls(caller, run, asked, partitions)
        for partition in () if run.options.recover_only else others:
            outcome.pending[partition] = 0
            if design.is_rated(partition):
                continue
            with closing(caller.score(partition, run.run_id)) as rows:
                for row in rows:
                    kept.add(partition, row)
                    outcome.pending[partition] += 1
    outcome.rows = pa.concat_tables([outcome.rows, kept.rows()])
    read = dict(read_criteria(run, outcome.rows, criteria))
    outcome.pending |= {partition: rows.num_rows for partition, rows in read.items()}
    outcome.rows = pa.concat_tables([outcome.rows, *read.values()])
    return outcome


class GradingCaller(PromptCaller):
    """Grades stored solutions: by one call each, or without any.

    `kept` takes in what a scorer settles before a judge; null: an estimate, which stores nothing
    and runs no code of others. `rubrics`: those that models have written; null: as they are stored.
    """

    stage = GRADE
    state_columns = GRADING_STATE_COLUMNS

    def __init__(
        self,
        scope: Scope,
        solutions: pa.Table,
        kept: KeptGradings | None = None,
        rubrics: ItemRubrics | None = None,
    ) -> None:
        self._scope, self._kept = scope, kept
        self._rubrics = rubrics or ItemRubrics(scope)
        self._study = scope.study
        self._conditions = scope.study.design.grade_by_id
        self._items, self._grid = scope.items_by_id, scope.grid
        self._stored = Parts(solutions, ["condition_id"])
        # Of each generate condition, once for all its graders.
        self._gradable: dict[str, Gradable] = {}
        self._texts: dict[str, dict[Cell, str | None]] = {}

    def states(self, partition: Partition, stored: pa.Table) -> States:
        versions = self._study.design.versions(partition)
        return classify_gradings(self._gradable_of(partition), stored, versions)

    def unsettled(self, partition: Partition, pending: Pending) -> Pending:
        """The pending cells whose answers the scorer before the judge does not find wholly right.

        All of them in an estimate where this scorer is code of others.
        """
        grader = self._conditions[partition.grade].grader
        first = grader.after
        if first is None or (first.program and self._kept is None):
            return pending
        left, places = pending.cells.copy(), np.flatnonzero(pending.cells).tolist()
        cells = pending.grid.cells(places)
        for place, cell, found in zip(
            places, cells, self._verdicts(first, partition, cells), strict=True
        ):
            if verdict := grader.settled(found):
                left[place] = False
                self._keep_settled(partition, cell, verdict, first.columns)
        return pending._replace(cells=left, fresh=pending.fresh & left)

    def _keep_settled(
        self, partition: Partition, cell: Cell, verdict: Verdict, scorer: Mapping[str, str]
    ) -> None:
        if self._kept:
            constant = {**self._constant(partition, self._kept.run_id), **scorer}
            self._kept.add(partition, self._free_row(partition, constant, cell, verdict))

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        texts = self.texts(partition.generate)
        return self.prompts_for(partition, {cell: texts.get(cell) for cell in cells})

    def texts(self, condition: str) -> dict[Cell, str | None]:
        """The stored solutions of a generate condition."""
        if condition not in self._texts:
            columns = ["item_id", "epoch", "solution"]
            rows = self._stored[condition,].select(columns).to_pylist()
            self._texts[condition] = {
                Cell(row["item_id"], row["epoch"]): row["solution"] for row in rows
            }
        return self._texts[condition]

    def _gradable_of(self, partition: Partition) -> Gradable:
        found = self._gradable_by_any(partition)
        rubric = self._conditions[partition.grade].grader.item_rubric
        return self._rubrics.gradable(found, rubric) if rubric else found

    def has_rubric(self, partition: Partition) -> np.ndarray | bool:
        """bool[cells]: whether the item has its rubric; true where no model writes one."""
        rubric = self._conditions[partition.grade].grader.item_rubric
        return self._rubrics.are_there(self._grid, rubric) if rubric else True

    def _gradable_by_any(self, partition: Partition) -> Gradable:
        """Without a look at the rubrics that models write."""
        condition = partition.generate
        if self._conditions[partition.grade].grader.in_log:
            return gradable_in_logs(self._grid, self._stored[condition,])
        if condition not in self._gradable:
            self._gradable[condition] = gradable_solutions(
                self._grid, self._stored[condition,], self._study.config.solvers.on_empty
            )
        return self._gradable[condition]

    def prompts_for(
        self, partition: Partition, solutions: Mapping[Cell, str | None]
    ) -> dict[Cell, Prompt]:
        """What the grader would be shown for these solutions, stored or not."""
        call, item = self._call(partition), self._item(partition)
        return {
            cell: call.prompt_for(item(cell.item_id), call.shown(text))
            for cell, text in solutions.items()
        }

    def _item(self, partition: Partition) -> Callable[[str], Item]:
        """What the grader is shown of an item: with its rubric, where a model has written one."""
        rubric = self._conditions[partition.grade].grader.item_rubric
        if rubric is None:
            return self._items.__getitem__
        texts = self._rubrics.texts(rubric)
        return lambda id: {**self._items[id], ITEM_RUBRIC: texts[id]}

    def model(self, partition: Partition) -> str:
        return self._call(partition).model

    def most_chars(self, partition: Partition) -> int | None:
        """The most characters of a solution that the judge is shown; null: all of them."""
        return self._call(partition).max_solution_chars

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        given = self._call(partition).settings.get("max_tokens")
        return output_limit(given), given is not None

    def target(self, partition: Partition) -> Target:
        call = self._call(partition)
        model = self._scope.resolve(
            call.model, call.where, routing=call.provider_routing, mock_reply=call.mock_reply
        )
        batch = self._scope.batch(call.model)
        called = self._scope.called_as(call.model)
        request = request_settings(self._study.config.solvers, called, batch)
        config = grading_config(call, {**request, "cache_prompt": "auto"})
        condition = self._conditions[partition.grade]
        return Target(condition.slug, model, config, self._study.design.scopes_of(partition))

    def can_make_samples(self) -> bool:
        return True

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        return {
            cell: (
                make_sample(
                    _key(cell),
                    prompt,
                    self._items[cell.item_id]["target"],
                    cell._asdict(),
                ),
                1,
            )
            for cell, prompt in prompts.items()
        }

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        hashes = {_key(cell): self._fingerprint(partition, cell) for cell in cells}
        found: dict[str, Any] = {"solution_hashes": hashes}
        if self._conditions[partition.grade].grader.item_rubric:
            found[_RUBRICS] = {cell.item_id: self._rubric_hash(partition, cell) for cell in cells}
        most = self.most_chars(partition)
        if most is not None:
            texts = self.texts(partition.generate)
            cut = {_key(cell): count for cell in cells if (count := not_shown(texts[cell], most))}
            found[_NOT_SHOWN] = cut
        return found

    def _rubric_hash(self, partition: Partition, cell: Cell) -> str | None:
        """The hash of the rubric that a cell is graded by; null where no model writes one."""
        rubric = self._conditions[partition.grade].grader.item_rubric
        return rubric_hash(self._rubrics.texts(rubric)[cell.item_id]) if rubric else None

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        # From the log, not from the solutions of today: those may have changed since the call.
        facts = log.eval.metadata or {}
        graded, cut = facts.get("solution_hashes", {}), facts.get(_NOT_SHOWN, {})
        rubrics = facts.get(_RUBRICS, {})
        asked, rows = self._call(partition), []
        for cell, call in call_rows(log, asked.model, self._scope.prices):
            verdict = None if call["error"] else asked.verdict_of(call["completion"])
            rows.append(
                {
                    **self._constant(partition, run_id),
                    **call,
                    **verdict_columns(verdict),
                    **cell._asdict(),
                    "judge_completion": call["completion"],
                    "log_file": log_file,
                    "solution_hash": graded.get(_key(cell)),
                    "solution_chars_not_shown": cut.get(_key(cell)),
                    "item_rubric_hash": rubrics.get(cell.item_id),
                }
            )
        return rows

    def score(self, partition: Partition, run_id: str) -> Generator[dict[str, Any], None, None]:
        """Rows of the pending cells of a partition that is graded without a call, one by one."""
        stored = self._scope.store.read("gradings", [partition], self.state_columns)
        states = self.states(partition, stored)
        asked = self._scope.options
        pending = pending_cells(
            states, rerun_blank=False, force=asked.force, skip_tried=asked.skip_tried
        )
        cells = pending.plan().cells
        constant = self._constant(partition, run_id)
        found = self._verdicts(self._conditions[partition.grade].grader, partition, cells)
        for cell, verdict in zip(cells, found, strict=True):
            yield self._free_row(partition, constant, cell, verdict)

    def _free_row(
        self, partition: Partition, constant: Mapping[str, Any], cell: Cell, verdict: Verdict
    ) -> dict[str, Any]:
        return {
            **constant,
            **verdict_columns(verdict),
            **no_tokens(),
            **cell._asdict(),
            "usd": 0.0,
            "created_at": now(),
            "solution_hash": self._fingerprint(partition, cell),
            "item_rubric_hash": self._rubric_hash(partition, cell),
        }

    def _verdicts(
        self, grader: Grader, partition: Partition, cells: list[Cell]
    ) -> Iterable[Verdict]:
        """What the rules, or the program, of a grader say of these cells."""
        texts = self.texts(partition.generate)
        given = [(self._items[cell.item_id], texts[cell]) for cell in cells]
        if grader.in_log is not None:
            return self._scored.verdicts(partition.generate, grader.in_log, cells)
        if grader.rules is not None:
            return starmap(grader.rules, given)
        assert grader.program is not None
        answers = [
            Answer(text or "", item["target"] or "", item["metadata_json"]) for item, text in given
        ]
        return verdicts(grader.program, answers)

    def _call(self, partition: Partition) -> ModelCall:
        call = self._conditions[partition.grade].grader.call
        assert call is not None
        return call

    @cached_property
    def _scored(self) -> ScoredByTask:
        """What the task of the study has scored itself."""
        return ScoredByTask(self._scope.store, self._stored)

    def _fingerprint(self, partition: Partition, cell: Cell) -> str:
        if self._conditions[partition.grade].grader.in_log:
            return solution_fingerprint(self._scored.uuid(partition.generate, cell))
        return solution_fingerprint(self.texts(partition.generate)[cell])

    def _constant(self, partition: Partition, run_id: str) -> dict[str, Any]:
        return {
            "study": self._study.name,
            "run_id": run_id,
            "gen_condition_id": partition.generate,
            **self._conditions[partition.grade].columns,
        }


def _key(cell: Cell) -> str:
    """The id of the sample that grades a cell."""
    return f"{cell.item_id}::{cell.epoch}"
