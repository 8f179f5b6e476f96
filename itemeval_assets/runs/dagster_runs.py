"""The Dagster runs of one command: items, the stages, then ledger and export."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.design.items.changed_items import named
from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.selection import Selection, select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing, ModelError
from itemeval_assets.core.money.losses import Loss
from itemeval_assets.core.text.words import counted
from itemeval_assets.dagster_io.naming.names import FIGURES
from itemeval_assets.dagster_io.progress import listening, tell_listeners
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.engine.inspect_folders import folders_left_out
from itemeval_assets.stages.calls.gate import Gate, open_gate
from itemeval_assets.stages.calls.recovery.evidence import unread_partitions
from itemeval_assets.stages.calls.recovery.losses import losses, require_no_loss
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.scores.records import StudyScores
from itemeval_assets.stages.figures.scores.scores import scores
from itemeval_assets.stages.items import are_stored, peek
from itemeval_assets.stages.ledger import calls_of_runs
from itemeval_assets.stages.projection.estimate import StudyEstimate, preview
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.store import ResultsStore

from .foreseeing import foreseen, remarks_on, resolution_of
from .launching.joining import join_what_is_behind
from .launching.launcher import Launcher
from .launching.stage import StageRuns
from .launching.workers import Workers
from .settled import Stats, forget, remember, sources

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Done:
    """What the runs of a command did. `called`: rows of the ledger; `lost`: what was recorded.

    `scores`: what came of it; null where nothing was ever called. `stats`: what is stored now.
    """

    launch: Launcher
    called: list[dict[str, Any]]
    lost: list[Loss]
    notes: list[str]
    scores: StudyScores | None
    stats: Stats


def start_runs(
    study: Study,
    store: ResultsStore,
    selection: Selection,
    options: RunOptions,
    on_progress: Callable[[Progress], None] | None,
    workers: Workers | None,
    accept_loss: bool,
    accept_changes: bool,
) -> Done:
    """Materialize items, then the stages over the chosen conditions, then ledger and export.

    The gate admits all calls of the command before the first; each stage passes it again, with
    what is known by then. Raises the first error of a run, or the refusal of the gate.
    """
    prices, holder = prices_if_needed(study), f"command-{uuid.uuid4().hex}"
    note = forget(store)
    with ExitStack() as stack:
        launch = stack.enter_context(Launcher.open(study))
        if on_progress:
            stack.enter_context(listening(on_progress))
        gate = stack.enter_context(
            open_gate(study, store, prices, holder=holder, consent_usd=options.consent_usd)
        )
        begin = partial(StageRuns, study, store, selection, options, launch, holder)
        has_items = are_stored(store)
        if has_items and not options.recover_only:
            _read_back(begin())
        notes = _changes_admitted(begin(), gate) if accept_changes else []
        stored = store.read("items")
        known = None
        if has_items and not (options.recover_only or accept_changes):
            known = _admitted_as_stored(begin(), gate, stored)
        if not (has_items and options.recover_only):
            launch(["items"], config={"accept_changes": accept_changes})
            store.look()
        runs = begin()
        if not has_items and not options.recover_only:
            _read_back(runs)
        if not options.recover_only:
            if known is None or not store.read("items").equals(stored):
                known = _admitted(runs, gate)
            runs.foreseen = known
            if known.remaining.calls:
                notes += [*known.warnings, *folders_left_out(study.config.cache)]
            runs.workers = workers if known.remaining.calls else None
        refusal = _run_stages(runs)
        before = sources(join_what_is_behind(study, store, launch))
        called = calls_of_runs(store, launch.run_ids)
        lost = _losses_to_accept(study, store, accept_loss)
        if store.has_results():
            shown = ["costs", "results", *FIGURES] if called else []
            tables = ["ledger", *shown, "export"]
            launch(tables, config={"accept_loss": accept_loss})
        if refusal is not None:
            raise refusal
    # Not before the reservation of these runs is gone.
    told = _scores(study, store, options, launch)
    stats = remember(study, store, before, launch.results["export"], told, note, launch.run_ids[-1])
    return Done(launch, called, lost, notes, told, stats)


def _changes_admitted(runs: StageRuns, gate: Gate) -> list[str]:
    """Pass the gate: nothing is withdrawn whose calls are not admitted.

    Returns what to tell of the items.
    """
    study, store = runs.study, runs.store
    found = preview(study, store, runs.options, runs.selection, accept_changes=True)
    if found.unreachable:
        raise ModelError("\n".join(found.unreachable))
    gate.admit(found.remaining, waiting_usd=found.waiting_usd)
    if not found.changed:
        return []
    words = f"{counted(len(found.changed), 'item')} changed, and what there was of them was made"
    return [f"{words} again: {named(found.changed)}"]


def _scores(
    study: Study, store: ResultsStore, options: RunOptions, launch: Launcher
) -> StudyScores | None:
    """What the asset of the scores has told, or else what the stored cells say."""
    told: StudyScores | None = launch.results.get("scores")
    if told is None and store.has_results():
        store.look()
        told = scores(PlannedCells(study, store, store.read("items"), options.policy))
    return told


def _losses_to_accept(study: Study, store: ResultsStore, accept_loss: bool) -> list[Loss]:
    """What is recorded as lost, where that is asked for. Raises EvidenceLost where it is not."""
    if accept_loss:
        return losses(study, store)
    require_no_loss(study, store)
    return []


def _read_back(runs: StageRuns) -> None:
    """Recover what killed runs have logged, so that nobody is asked to consent to it again.

    Of all conditions: the answers are to the items as they are stored, and these may change now.
    """
    whole = select(runs.study.design)
    left = unread_partitions(runs.store, whole.partitions)
    if left:
        reading = replace(
            runs,
            selection=whole.within(left),
            options=runs.options.model_copy(update={"recover_only": True}),
        )
        for stage in runs.study.stages:
            reading(stage)
        # The stages run over the same partitions next, and check them by what is there then.
        runs.launch.failed_checks.clear()
        runs.store.look()


def _admitted_as_stored(runs: StageRuns, gate: Gate, stored: "pa.Table") -> StudyEstimate | None:
    """As `_admitted`, of the stored items: a run that is refused leaves none in the history.

    Null where it is refused, and others than these are wanted now: they say what the run calls.
    """
    try:
        return _admitted(runs, gate)
    except Exception:  # stored items may lack what the config asks of them now, as their images
        if peek(runs.study, runs.store).table.equals(stored):
            raise
        return None


def _admitted(runs: StageRuns, gate: Gate) -> StudyEstimate:
    """What the run would call; what to know of it first is told to whoever listens.

    Raises EvidenceLost, what `foreseen` raises, or the gate's refusal.
    """
    # A log that is brought back is cheaper than its calls.
    require_no_loss(runs.study, runs.store, runs.selection.partitions)
    found = foreseen(runs.study, runs.store, runs.selection, runs.options)
    resolved = resolution_of(runs.study, runs.store, runs.options, found)
    gate.admit(found.remaining, [*remarks_on(found), *resolved], found.waiting_usd)
    if found.warnings:
        tell_listeners(Progress("solutions", total=0, warnings=tuple(found.warnings)))
    return found


def _run_stages(runs: StageRuns) -> BudgetExceeded | ConsentMissing | None:
    """Run one stage after the other, up to the first that the gate refuses, and its refusal.

    What was called until then is to be booked and exported all the same.
    """
    for stage in runs.study.stages:
        try:
            runs(stage)
        except (BudgetExceeded, ConsentMissing) as refusal:
            return refusal
    return None
