"""What paid stages do: recover, plan, ask the gate, call, and turn logs into rows.

A stage says what its cells, prompts, targets and rows are (`Caller`); this module says in
which order things happen, so that no cell is paid twice and no dollar is forgotten.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell, Pending, Plan, pending_cells
from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.money.projection.estimate import (
    NOTHING,
    Call,
    Projection,
    estimate_tokens,
    most_tokens,
    project,
)
from itemeval_assets.core.money.projection.prefixes import shared_prefixes
from itemeval_assets.core.money.providers import provider_of, words_of_mocks
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.core.tables.schemas import TABLES, arrow_schema
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.tables.upsert import upsert
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.calls.batches.told import batches_told_to
from itemeval_assets.engine.calls.evaluate import connections_to, evaluate, tell_prices
from itemeval_assets.engine.calls.hooks import reporting
from itemeval_assets.engine.calls.in_flight.allowance import Allowance
from itemeval_assets.engine.calls.in_flight.turns import Turns
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.engine.calls.tasks import CallSettings, Target, digest_of
from itemeval_assets.engine.inspect_folders import folders_left_out
from itemeval_assets.engine.logs.broken import why_broken
from itemeval_assets.engine.models.response_cache import cached_answers, has_cache
from itemeval_assets.engine.rows import PRICE
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.objects.together import together
from itemeval_assets.storage.study import log_files

from .batches import forget_answered, forget_collected, keeping
from .doubts import doubts, ungradable_items
from .manifests import begin_manifest, finish_manifest
from .recovery.evidence import account_for_lost_rows, archive, collect, recover
from .recovery.losses import require_no_loss
from .stage_run import Caller, Scope, StageRun
from .superseded import book_superseded, is_superseded

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog


@dataclass(frozen=True)
class PlannedCalls:
    """The calls of one partition: what is sent for each cell, and what it may cost.

    `cached` holds the completions that the response cache has for some of the cells. `waiting`
    cells are in batches: their answers are collected.
    """

    plan: Plan
    target: Target
    prompts: Mapping[Cell, Prompt]
    samples: "Mapping[Cell, tuple[Sample, int]]"
    cached: Mapping[Cell, str]
    most_usd: Mapping[Cell, float]
    projection: Projection
    waiting: Mapping[Cell, float]

    @property
    def waiting_usd(self) -> float:
        """What of the ceiling is in batches, and reserved by nobody."""
        return sum(self.waiting.values())


def make_calls(
    caller: Caller, run: StageRun, partitions: list[Partition], selected: list[Partition]
) -> Outcome:
    """Bring the partitions up to date. The caller of this function holds their claims.

    `selected` are all partitions of the run, for its manifest: also those that no model grades.

    Nothing pending: no call. Raises ModelError, BudgetExceeded, ConsentMissing, EvidenceLost or
    ConfigError before the first call.
    """
    outcome = Outcome(arrow_schema(TABLES[caller.stage.table]).empty_table())
    outcome.pending = dict.fromkeys(partitions, 0)
    recover(caller, run, partitions, outcome)
    forget_answered(run.store, partitions, outcome.rows)
    for partition in partitions:
        account_for_lost_rows(caller, run, partition)
    if not run.options.recover_only:
        require_no_loss(run.study, run.store, partitions, is_held=True)
    plans = {} if run.options.recover_only else _plans(caller, run, partitions, outcome)
    if not plans:
        asked = "recovery only" if run.options.recover_only else "nothing is pending"
        run.say(f"{asked}: no call is made")
        begin_manifest(run, selected, NOTHING, [])
        return outcome
    planned = {
        partition: plan_calls(caller, run, partition, plan) for partition, plan in plans.items()
    }
    for calls in planned.values():
        outcome.projection += calls.projection
    _require_batch_mode(caller, run, planned)
    _tell_of_waiting(run, planned)
    remarks = doubts(run, ungradable_items(run)) if caller.stage is GENERATE else []
    for remark in remarks:
        run.say(remark)
    models = sorted({caller.model(partition) for partition in planned})
    in_batches = sum(calls.waiting_usd for calls in planned.values())
    run.gate.admit(outcome.projection, [*remarks, *words_of_mocks(models)], in_batches)
    begin_manifest(run, selected, outcome.projection, models)
    with keeping(run) if any(map(run.batch, models)) else nullcontext() as keeper:
        if keeper:
            keeper.supersede(partial(is_superseded, planned))
        headers, finished = _evaluate(caller, run, planned, outcome)
        collect(caller, run, finished, outcome)
        if keeper:
            forget_collected(keeper, run.run_id, planned, outcome.rows)
            book_superseded(caller, run, keeper, outcome)
    for (partition, _), header in zip(finished, headers, strict=True):
        if why := why_broken(header):
            outcome.broken[partition] = why
    finish_manifest(run, outcome)
    return outcome


def pending_of(caller: Caller, scope: Scope, partition: Partition, stored: pa.Table) -> Pending:
    """The cells of a partition to call, whose rows are `stored`: one predicate for all."""
    rerun_blank = caller.stage is GENERATE and scope.study.config.solvers.on_empty == "rerun"
    states = caller.states(partition, stored)
    asked = scope.options
    pending = pending_cells(
        states, rerun_blank=rerun_blank, force=asked.force, skip_tried=asked.skip_tried
    )
    return caller.unsettled(partition, pending.within(scope.anchors.of(partition)))


def plan_calls(caller: Caller, scope: Scope, partition: Partition, plan: Plan) -> PlannedCalls:
    """What the planned cells of a partition are asked, and the ceiling of their cost.

    Makes no call. Raises ModelError when the model cannot be had.
    """
    prompts = caller.prompts(partition, plan.cells)
    target, samples = caller.target(partition), caller.samples(prompts)
    waiting, cached = dict[Cell, float](), {}
    for cell, lines in scope.waiting.get(partition, {}).items():
        if cell in samples and (digest := digest_of(samples[cell][0].input)) in lines:
            waiting[cell] = lines[digest]
    if scope.study.config.cache:
        # What is paid for and in a batch is booked once it is collected.
        not_asked = {*plan.fresh, *waiting}
        asked = {cell: sample for cell, sample in samples.items() if cell not in not_asked}
        cached = cached_answers(target.model, target.config, target.scopes, asked)
    model = caller.model(partition)
    limit, is_capped = caller.output_limit(partition)
    each = caller.calls_per_cell(partition)
    calls = {
        cell: Call(
            each.most_input(most_tokens(prompt.text), limit),
            each.most_output(limit),
            estimate_tokens(prompt.text),
        )
        for cell, prompt in prompts.items()
        if cell not in cached
    }
    projection = project(model, calls.values(), scope.usd, cached=len(cached), is_capped=is_capped)
    most_usd = {
        cell: scope.usd(model, {"input_tokens": call.most_input, "output_tokens": call.most_output})
        or 0.0
        for cell, call in calls.items()
    }
    return PlannedCalls(plan, target, prompts, samples, cached, most_usd, projection, waiting)


def _require_batch_mode(
    caller: Caller, run: StageRun, planned: Mapping[Partition, PlannedCalls]
) -> None:
    """Raise ConfigError where calls are in batches, and would be sent once more one by one."""
    for partition, calls in planned.items():
        if calls.waiting and not run.batch(caller.model(partition)):
            raise ConfigError(
                f"{run.study.design.label_of(partition)}: {counted(len(calls.waiting), 'call')} of "
                "this run were sent in batches, and would be paid again. Collect them in batch "
                "mode (--policy full-batch, or budget.batch: true); `itemeval-assets status "
                f"{run.study.config_path}` shows the batches"
            )


def _tell_of_waiting(run: StageRun, planned: Mapping[Partition, PlannedCalls]) -> None:
    if count := sum(len(calls.waiting) for calls in planned.values()):
        run.say(f"{count} of the calls are in batches of earlier runs: they are not sent again")


def _plans(
    caller: Caller, run: StageRun, partitions: list[Partition], outcome: Outcome
) -> dict[Partition, Plan]:
    plans, table = {}, TABLES[caller.stage.table]
    read_back = Parts(outcome.rows, table.partitioned_by)
    for partition in partitions:
        if partition in outcome.log_index:
            # Cells are told apart by item and epoch: rows of other partitions have the same.
            stored = run.store.read(caller.stage.table, [partition])
            stored = upsert(table, stored, read_back[partition]).rows
        else:
            stored = run.store.read(caller.stage.table, [partition], caller.state_columns)
        plan = pending_of(caller, run, partition, stored).plan()
        outcome.pending[partition] = len(plan.cells)
        if plan.cells:
            plans[partition] = plan
    return plans


def _evaluate(
    caller: Caller, run: StageRun, planned: Mapping[Partition, PlannedCalls], outcome: Outcome
) -> "tuple[list[EvalLog], list[tuple[Partition, str]]]":
    """Make the calls; the headers of their logs, and where each log lies now."""
    allowance = Allowance(outcome.projection.usd, run.usd, run.store.backend.holds_locks)
    tasks = _tasks(caller, run, planned, allowance)
    models = {caller.model(partition) for partition in planned}
    for note in folders_left_out(run.study.config.cache):
        run.say(note)
    tell_prices(
        {run.called_as(model): run.book.rates(model, bool(run.batch(model))) for model in models}
    )
    progress = Progress(next(iter(planned)).stage.name, outcome.projection.calls)
    batched = {provider_of(run.called_as(model)) for model in models if run.batch(model)}
    with (
        reporting(progress, run.listener, run.usd) as tell_of_wait,
        batches_told_to(tell_of_wait, batched),
        log_files.writing_logs(run.store.backend) as folder,
    ):
        is_task = caller.stage is GENERATE and run.study.config.benchmark.ref is not None
        retries = run.study.config.solvers.retry_on_error
        logs = evaluate(tasks, folder, retries, score=is_task)
        # While the calls were made, others may have taken this run for dead.
        if not run.store.backend.holds_locks():
            run.store.look()
        finished = together(run.store.backend, partial(_archived, run), logs)
    outcome.held_back = allowance.held_back
    if outcome.held_back:
        run.say(
            f"{outcome.held_back} calls were held back: {allowance.reason}. Run again to continue"
        )
    return logs, finished


def _archived(run: StageRun, header: "EvalLog") -> tuple[Partition, str]:
    return archive(run.store, log_files.running_key(Path(header.location)), header)


def _tasks(
    caller: Caller,
    run: StageRun,
    planned: Mapping[Partition, PlannedCalls],
    allowance: Allowance,
) -> "list[Task]":
    config, turns, prefixes = run.study.config, Turns(), _prefixes(caller, run, planned)
    uses_cache = config.cache and has_cache()
    tasks = []
    for partition, calls in planned.items():
        settings = CallSettings(
            use_cache=uses_cache,
            fresh={*calls.plan.fresh, *calls.waiting},
            allowance=allowance,
            turns=turns,
            cached=set(calls.cached),
            prefixes=prefixes.get(partition, {}),
            most_usd=calls.most_usd,
            connections=_connections(run, caller.model(partition)),
            partition=partition,
        )
        metadata = {
            "study": run.study.name,
            "run_id": run.run_id,
            "reserved_by": run.gate.holder,
            **partition.columns,
            "model": caller.model(partition),
            PRICE: run.book.evidence(caller.model(partition)),
            **caller.evidence(partition, calls.plan.cells),
        }
        tasks.append(caller.build(partition, calls, settings, metadata))
    return tasks


def _connections(run: StageRun, model: str) -> int | None:
    return None if run.batch(model) else connections_to(run.study.config.solvers, model)


def _prefixes(
    caller: Caller, run: StageRun, planned: Mapping[Partition, PlannedCalls]
) -> dict[Partition, dict[Cell, str]]:
    """Which calls wait for another one that shares the head of their prompt, if any."""
    config = run.study.config
    unwanted = caller.stage is GENERATE and config.solvers.cache_prompt == "off"
    if config.budget.cache_schedule == "off" or unwanted:
        return {}
    heads = {}
    for partition, calls in planned.items():
        model = caller.model(partition)
        price = run.book.price_of(model)
        if price is None or not price.discounts_shared_prefix or run.batch(model):
            continue
        for cell in calls.most_usd:
            heads[partition, cell] = (model, calls.prompts[cell].head)
    found: dict[Partition, dict[Cell, str]] = {}
    for (partition, cell), key in shared_prefixes(heads).items():
        found.setdefault(partition, {})[cell] = key
    return found
