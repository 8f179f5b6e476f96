"""What both paid stages do: recover, plan, ask the budget, call, and turn logs into rows.

A stage says what its cells, prompts, tasks and rows are (`Caller`); this module says in
which order things happen, so that no cell is paid twice and no dollar is forgotten.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.estimate import NOTHING, Projection, project, require_budget
from itemeval_assets.core.pending import Cell, Plan, plan_cells
from itemeval_assets.core.pricing import PriceBook
from itemeval_assets.core.prompts import Prompt
from itemeval_assets.core.study import Partition, stage_of
from itemeval_assets.core.tables import TABLES, arrow_schema
from itemeval_assets.core.upsert import upsert
from itemeval_assets.engine.evaluate import evaluate, request_settings
from itemeval_assets.engine.progress import Progress, reporting
from itemeval_assets.storage import log_files
from itemeval_assets.storage.store import ResultsStore

from .evidence import account_for_lost_rows, archive, collect, recover
from .manifests import begin_manifest, finish_manifest
from .stage_run import Caller, Outcome, StageRun

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["make_calls"]


def make_calls(
    caller: Caller, run: StageRun, partitions: list[Partition], selected: list[Partition]
) -> Outcome:
    """Bring the partitions up to date. The caller of this function holds their claims.

    `selected` are all partitions of the run, for its manifest: also those that no model grades.

    Nothing pending: no call. Raises BudgetExceeded, ConsentMissing or ModelError before
    the first call.
    """
    outcome = Outcome(arrow_schema(TABLES[caller.table]).empty_table())
    recover(caller, run, partitions, outcome)
    for partition in partitions:
        account_for_lost_rows(caller, run, partition)
    plans = _plans(caller, run, partitions, outcome)
    if not plans:
        run.say("nothing is pending: no call is made")
        begin_manifest(run, selected, NOTHING)
        return outcome
    prompts = {
        partition: caller.prompts(partition, plan.cells) for partition, plan in plans.items()
    }
    outcome.projection = _project(caller, prompts, run.prices)
    require_budget(
        outcome.projection,
        run.study.config.budget,
        spent_usd=_spent_usd(run.store),
        consent_usd=run.consent_usd,
    )
    tasks = _tasks(caller, run, plans, prompts)
    begin_manifest(run, selected, outcome.projection)
    headers = _evaluate(run, tasks, stage_of(partitions[0]), outcome.projection.calls)
    finished = [archive(run.store, Path(header.location), header) for header in headers]
    collect(caller, run, finished, outcome)
    finish_manifest(run, outcome)
    return outcome


def _plans(
    caller: Caller, run: StageRun, partitions: list[Partition], outcome: Outcome
) -> dict[Partition, Plan]:
    rerun_blank = caller.table == "solutions" and run.study.config.solvers.on_empty == "rerun"
    plans = {}
    for partition in partitions:
        stored = run.store.read(caller.table, [partition])
        if outcome.recovered.get(partition):
            stored = upsert(TABLES[caller.table], stored, outcome.rows).rows
        states = caller.states(partition, stored)
        plan = plan_cells(states, rerun_blank=rerun_blank, force=run.force)
        outcome.pending[partition] = len(plan.cells)
        if plan.cells:
            plans[partition] = plan
    return plans


def _project(
    caller: Caller, prompts: Mapping[Partition, Mapping[Cell, Prompt]], prices: PriceBook
) -> Projection:
    total = NOTHING
    for partition, by_cell in prompts.items():
        texts = (prompt.text for prompt in by_cell.values())
        model, limit = caller.model(partition), caller.max_tokens(partition)
        total += project(model, texts, limit, prices.usd)
    return total


def _spent_usd(store: ResultsStore) -> float:
    return sum(usd or 0.0 for usd in store.read("ledger", columns=["usd"])["usd"].to_pylist())


def _tasks(
    caller: Caller,
    run: StageRun,
    plans: Mapping[Partition, Plan],
    prompts: Mapping[Partition, Mapping[Cell, Prompt]],
) -> "list[Task]":
    settings = request_settings(run.study.config.solvers, run.extent.batch)
    return [
        caller.task(
            partition,
            plan,
            prompts[partition],
            settings,
            {
                "study": run.study.name,
                "run_id": run.run_id,
                "stage": stage_of(partition),
                "condition_id": partition[-1],
                "gen_condition_id": partition[0] if len(partition) == 2 else None,
            },
        )
        for partition, plan in plans.items()
    ]


def _evaluate(run: StageRun, tasks: "list[Task]", stage: str, calls: int) -> "list[EvalLog]":
    logs = log_files.running_dir(run.store.local_root)
    with reporting(Progress(stage, calls), run.listener, run.prices.usd):
        return evaluate(tasks, logs, run.study.config.solvers.retry_on_error)
