"""A run of a study: items, the stages over the chosen conditions, then ledger and export."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GENERATE, GRADE
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing, ModelError, StoreError
from itemeval_assets.core.money.budget import require_sane_consent
from itemeval_assets.core.money.losses import Loss
from itemeval_assets.core.records.failures import ErrorCount, FailedCheck, in_words
from itemeval_assets.dagster_io.progress import listening
from itemeval_assets.engine.inspect_folders import folders_left_out
from itemeval_assets.stages.calls.evidence import unread_partitions
from itemeval_assets.stages.calls.gate import Gate, open_gate
from itemeval_assets.stages.calls.losses import losses, require_no_loss
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.ledger import calls_of_runs, unmetered_models
from itemeval_assets.stages.projection.estimate import StudyEstimate, estimate
from itemeval_assets.stages.views.status import (
    PartitionStatus,
    StudyStatus,
    frequent_errors,
    survey,
)
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .launcher import Launcher
from .stage import StageRuns
from .workers import Workers

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.progress import Progress

__all__ = ["RunSummary", "foreseen", "run_study"]


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and how the study stands now.

    `calls` and `usd` are those of this run's ledger, `cached` of the calls were answered by
    the response cache, free; `unpriced` names models whose usd is not known, `unmetered` those that
    answered without a usage that can be, and cost more than the ledger says; `held_back` calls were
    not made, because others cost more than could be foreseen; `failed_checks` are those
    of partitions. `errored` counts cells of what was asked for that carry an error now,
    `errors` their most frequent texts; `missing` counts those that are not there, of the last stage
    that was asked for. `accepted` losses were recorded. `notes` say what inspect_ai
    went on without. `exit_code` is 0, or that
    of the command, and `reason` says why.
    """

    study: str
    run_ids: list[str]
    calls: int
    cached: int
    usd: float
    unpriced: list[str]
    recovered: int
    held_back: int
    failed_checks: list[FailedCheck]
    errored: int
    errors: list[ErrorCount]
    missing: int
    exit_code: int
    reason: str | None
    status: StudyStatus
    export: ExportResult
    unmetered: list[str] = field(default_factory=list)
    accepted: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run_study(
    study: Study,
    selection: Selection,
    options: RunOptions,
    on_progress: "Callable[[Progress], None] | None" = None,
    workers: int = 1,
    accept_loss: bool = False,
) -> RunSummary:
    """Materialize items, then the stages over the chosen conditions, then ledger and export.

    The gate admits all calls of the run before the first; each stage passes it again, with
    what is known by then. `workers`: processes that share the partitions of a stage. `accept_loss`:
    record paid calls of which no evidence is left.
    """
    store, prices = open_store(study), prices_if_needed(study)
    store.require_layout()
    _require_results(study, store, selection)
    require_sane_consent(options.consent_usd, study.config.budget)
    holder = f"command-{uuid.uuid4().hex}"
    with ExitStack() as stack:
        launch = stack.enter_context(Launcher.open(study))
        if on_progress:
            stack.enter_context(listening(on_progress))
        gate = stack.enter_context(
            open_gate(study, store, prices, holder=holder, consent_usd=options.consent_usd)
        )
        # Workers load their packages while this process finds out what there is to do.
        idle = (
            stack.enter_context(Workers.open(study, workers, on_progress))
            if workers > 1 and not options.recover_only
            else None
        )
        notes: list[str] = []
        launch(["items"])
        runs = StageRuns(study, store, selection, options, launch, holder)
        _read_back(runs)
        if not options.recover_only:
            # A log that is brought back is cheaper than its calls.
            require_no_loss(study, store, selection.partitions)
            runs.foreseen = _admitted(runs, gate)
            notes = folders_left_out(study.config.cache) if runs.foreseen.remaining.calls else []
            runs.workers = idle if runs.foreseen.remaining.calls else None
        refusal = _run_stages(runs)
        called = calls_of_runs(store, launch.run_ids)
        lost = _losses_to_accept(study, store, accept_loss)
        if store.has_results():
            tables = ["ledger", *(["costs", "results"] if called else []), "export"]
            launch(tables, config={"accept_loss": accept_loss})
        if refusal is not None:
            raise refusal
    found = survey(study, store, options.policy)
    wanted = set(selection.partitions)
    asked_for = [part for part in (*found.generate, *found.grade) if part.partition in wanted]
    errored = 0 if options.recover_only else sum(part.own("errored") for part in asked_for)
    errors = frequent_errors(study, store, wanted, options.policy) if errored else []
    exit_code, reason = _end(launch.held_back, errored, errors)
    return RunSummary(
        study=study.name,
        run_ids=launch.run_ids,
        calls=sum(row["calls"] for row in called),
        cached=_cached_calls(store, launch.run_ids),
        usd=sum(row["usd"] or 0.0 for row in called),
        unpriced=sorted({row["model"] for row in called if row["usd"] is None}),
        unmetered=unmetered_models(called),
        notes=notes,
        accepted=[loss for loss in lost if loss not in found.lost],
        recovered=launch.recovered,
        held_back=launch.held_back,
        failed_checks=launch.failed_checks,
        errored=errored,
        errors=errors,
        missing=0 if options.recover_only else _missing(asked_for),
        exit_code=exit_code,
        reason=reason,
        status=found,
        export=launch.results["export"],
    )


def foreseen(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> StudyEstimate:
    """What a run would still call, and what that costs at most."""
    scope = Scope(
        study=study,
        store=store,
        prices=prices_if_needed(study),
        items=store.read("items"),
        options=options,
    )
    return estimate(scope, selection, in_full=False)


def _require_results(study: Study, store: ResultsStore, selection: Selection) -> None:
    """Raise StoreError where what is asked needs results, and there is none yet."""
    if selection.is_narrowed and not selection.partitions and not store.has_results():
        raise StoreError(
            f"study {study.name} has no results yet: no errored cell, and no log of a stopped run."
            f"\nRun it first: itemeval-assets run {study.config_path}"
        )
    gradings = selection.of(GRADE)
    is_alone = gradings and not selection.of(GENERATE) and not selection.is_narrowed
    if is_alone and not any(store.has("solutions", part.solutions) for part in gradings):
        raise StoreError(
            f"study {study.name} has no solution of the chosen conditions yet: there is nothing to "
            "grade.\nRun both stages, without --only, or --only solutions first"
        )


def _end(held_back: int, errored: int, errors: list[ErrorCount]) -> tuple[int, str | None]:
    """The exit code of a run, and why it is not 0."""
    if held_back:
        why = (
            f"{held_back} calls were held back: answers without max_tokens cost more than the gate "
            "allowed for, or this machine could not reach its bucket; run again to continue"
        )
        return 3, f"{why}.\n{in_words(errored, errors)}" if errored else why
    return (5, in_words(errored, errors)) if errored else (0, None)


def _missing(asked_for: list[PartitionStatus]) -> int:
    """The cells of the last stage that was asked for which are not there.

    Those whose solution errored are told of as errored, where solutions were asked for, too.
    """
    stages = {part.partition.stage for part in asked_for}
    last = GRADE if GRADE in stages else GENERATE
    solved = {part.partition for part in asked_for if part.partition.stage is GENERATE}
    return sum(
        part.missing
        + (0 if part.partition.solutions in solved else part.without_solution.get("errored", 0))
        for part in asked_for
        if part.partition.stage is last
    )


def _losses_to_accept(study: Study, store: ResultsStore, accept_loss: bool) -> list[Loss]:
    """What is recorded as lost, where that is asked for. Raises EvidenceLost where it is not."""
    if accept_loss:
        return losses(study, store)
    require_no_loss(study, store)
    return []


def _read_back(runs: StageRuns) -> None:
    """Recover what killed runs have logged, so that nobody is asked to consent to it again."""
    left = unread_partitions(runs.store, runs.selection.partitions)
    if left and not runs.options.recover_only:
        reading = replace(
            runs,
            selection=runs.selection.within(left),
            options=runs.options.model_copy(update={"recover_only": True}),
        )
        for stage in (GENERATE, GRADE):
            reading(stage)


def _admitted(runs: StageRuns, gate: Gate) -> StudyEstimate:
    """What the run would call. Raises ModelError for a model that is out of reach, or the
    gate's refusal.
    """
    found = foreseen(runs.study, runs.store, runs.selection, runs.options)
    if found.unreachable:
        raise ModelError("\n".join(found.unreachable))
    gate.admit(found.remaining)
    return found


def _run_stages(runs: StageRuns) -> BudgetExceeded | ConsentMissing | None:
    """Run one stage after the other, up to the first that the gate refuses, and its refusal.

    What was called until then is to be booked and exported all the same.
    """
    for stage in (GENERATE, GRADE):
        try:
            runs(stage)
        except (BudgetExceeded, ConsentMissing) as refusal:
            return refusal
    return None


def _cached_calls(store: ResultsStore, run_ids: Sequence[str]) -> int:
    """Calls of these runs that the response cache answered."""
    logs = store.read("log_index", columns=["run_id", "cached_samples"]).to_pylist()
    return sum(log["cached_samples"] or 0 for log in logs if log["run_id"] in run_ids)
