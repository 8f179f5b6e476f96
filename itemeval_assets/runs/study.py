"""A run of a study: nothing where nothing is to be done, else the Dagster runs it takes."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GENERATE, GRADE
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.budget import require_sane_consent
from itemeval_assets.core.tasks.doubts import changes_of_task
from itemeval_assets.engine.scorers.process import require_loadable
from itemeval_assets.stages.calls.recovery.evidence import require_all_read
from itemeval_assets.stages.items import are_stored, changed_datasets, refuse_changed_data
from itemeval_assets.stages.ledger import unmetered_models
from itemeval_assets.stages.views.errors import frequent_errors
from itemeval_assets.stages.views.status import survey
from itemeval_assets.storage.study.inputs.task_lock import keep_task, stored_lock
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .launching.workers import Workers
from .settled import changed_at, nothing_to_do, waits_for_calls
from .summary import RunSummary, asked_for, ending, missing, often_unparsed, told_most_often

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.progress import Progress

    from .dagster_runs import Done


def run_study(
    study: Study,
    selection: Selection,
    options: RunOptions,
    on_progress: "Callable[[Progress], None] | None" = None,
    workers: int = 1,
    accept_loss: bool = False,
    accept_changes: bool = False,
) -> RunSummary:
    """Make the calls that are missing, failed or outdated, and bring all tables up to date.

    `workers`: processes that share the partitions of a stage. `accept_loss`: record paid calls of
    which no evidence is left. `accept_changes`: make what there is of changed items again. Where
    nothing is to be done, no run of Dagster starts.
    """
    store = open_store(study, look=True)
    store.require_layout()
    _require_results(study, store, selection, options)
    require_sane_consent(options.consent_usd, study.config.budget)
    if settled := nothing_to_do(study, store, selection, options):
        keep_task(study)
        return replace(settled, notes=[*settled.notes, *_on_task(study)])
    is_task = study.config.benchmark.ref is not None
    # A task would be loaded once more for this, which takes its time.
    if not (accept_changes or options.recover_only or is_task) and changed_datasets(study, store):
        require_all_read(study, store)
        refuse_changed_data(study, store)
    if not options.recover_only:
        require_loadable(study.design.programs)
        if not are_stored(store):
            # A first run that is refused leaves nothing on the disk.
            from .foreseeing import foreseen, require_allowed

            require_allowed(study, options, foreseen(study, store, selection, options))
    keep_task(study)
    with ExitStack() as stack:
        # Workers load their packages while this process does, and finds out what there is to do.
        idle = (
            stack.enter_context(Workers.open(study, workers, on_progress))
            if workers > 1 and (accept_changes or _needs_workers(study, store, selection, options))
            else None
        )
        from .dagster_runs import start_runs

        done = start_runs(
            study, store, selection, options, on_progress, idle, accept_loss, accept_changes
        )
    return _summary(study, store, selection, options, done)


def _summary(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions, done: "Done"
) -> RunSummary:
    launch, called = done.launch, done.called
    found = survey(study, store, options.policy)
    parts = asked_for(found, selection)
    errored = 0 if options.recover_only else sum(part.own("errored") for part in parts)
    errors = frequent_errors(study, store, selection.partitions, options.policy) if errored else []
    exit_code, reason = ending(launch.held_back, errored, errors)
    return RunSummary(
        study=study.name,
        run_ids=launch.run_ids,
        calls=sum(row["calls"] for row in called),
        cached=_cached_calls(store, launch.run_ids),
        usd=sum(row["usd"] or 0.0 for row in called),
        unpriced=sorted({row["model"] for row in called if row["usd"] is None}),
        unmetered=unmetered_models(called),
        notes=list(
            dict.fromkeys([*done.notes, *_on_task(study), *([launch.gate] if launch.gate else [])])
        ),
        accepted=[loss for loss in done.lost if loss not in found.lost],
        recovered=launch.recovered,
        held_back=launch.held_back,
        failed_checks=launch.failed_checks,
        errored=errored,
        errors=errors,
        unparsed=often_unparsed(found, partial(told_most_often, study, store)),
        missing=0 if options.recover_only else missing(study, parts),
        exit_code=exit_code,
        reason=reason,
        status=found,
        export=launch.results["export"],
        changed_at=changed_at(done.stats),
        scores=done.scores,
    )


def _on_task(study: Study) -> list[str]:
    """What has changed in the task of a study, and what its logs told of its scores."""
    known = study.snapshot.task
    if known is None:
        return []
    found = stored_lock(study.name, study.location)
    changes = list(changes_of_task(replace(known, twins=found.twins if found else known.twins)))
    if found is None or found.learned == known.learned:
        return changes
    names = ", ".join(one.full for one in found.learned if one not in known.learned)
    return [
        *changes,
        f"only the logs of {known.task} told that it has the scores {names}. Run again: they are "
        "graded without a call",
    ]


def _needs_workers(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> bool:
    """Whether workers will have anything to do."""
    if options.recover_only or options.force:
        return options.force
    return waits_for_calls(study, survey(study, store, options.policy), selection)


def _require_results(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> None:
    """Raise StoreError where what is asked needs results, and there is none yet."""
    if selection.is_narrowed and not selection.partitions and not store.has_results():
        lacking = "log to recover from" if options.recover_only else "errored cell"
        raise StoreError(
            f"study {study.name} has no results yet, and so no {lacking}."
            f"\nRun it first: itemeval-assets run {study.config_path}"
        )
    gradings = selection.of(GRADE)
    is_alone = gradings and not selection.of(GENERATE) and not selection.is_narrowed
    if is_alone and not any(store.has("solutions", part.solutions) for part in gradings):
        raise StoreError(
            f"study {study.name} has no solution of the chosen conditions yet: there is nothing to "
            "grade.\nRun both stages, without --only, or --only solutions first"
        )


def _cached_calls(store: ResultsStore, run_ids: Sequence[str]) -> int:
    """Calls of these runs that the response cache answered."""
    logs = store.read("log_index", columns=["run_id", "cached_samples"]).to_pylist()
    return sum(log["cached_samples"] or 0 for log in logs if log["run_id"] in run_ids)
