"""Buys items in tranches until the intervals are as narrow as `precision` asks.

A tranche is a run of its own over the first items of the sample: its gate, its pending cells. So
nothing is paid twice, and a run that was killed goes on from what is stored.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GRADE, RUBRIC
from itemeval_assets.core.design.precise import is_whole
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.design.tranches import tranche_of, with_tranche
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing
from itemeval_assets.core.money.budget import agreed_usd
from itemeval_assets.core.records.precision import PrecisionLook, words_of_look
from itemeval_assets.core.text.labels import labels_in
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.precise.looking import look, next_tranche
from itemeval_assets.stages.views.status import StudyStatus
from itemeval_assets.storage.study.inputs.tranches import keep_look, keep_tranche
from itemeval_assets.storage.study.store import open_store

from .foreseeing import foreseen, require_allowed
from .study import run_study
from .summary import RunSummary

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.progress import Progress

# Where more of the answers, or of the gradings of one grader, errored, a model is out of order, and
# more items are no remedy.
_MANY_ERRORED = 0.05


def run_in_tranches(
    study: Study,
    selection: Selection,
    options: RunOptions,
    on_progress: "Callable[[Progress], None] | None" = None,
    workers: int = 1,
    *,
    accept_changes: bool = False,
) -> RunSummary:
    """As `run_study`; with `precision`, tranche by tranche until the target or the sample's end.

    `options.consent_usd` is for all tranches together. A run of a part of the design completes
    the tranche that there is. Raises what the gate raises of a tranche, with how far it is.
    """
    run = run_study(study, selection, options, on_progress, workers, accept_changes=accept_changes)
    tranche = tranche_of(study, run_plan(study.config, options.policy))
    asked = study.config.precision
    if tranche is None or asked is None or not is_whole(study.design, asked, selection):
        return run
    done = [run]
    while True:
        seen = _looked(study, tranche, options)
        more = next_tranche(seen, run.status.design_items)
        if more is None or run.held_back:
            return _in_sum(done, seen)
        if many := _many_errored(run.status):
            why = f"precision: no more items are bought, since {many} errored"
            return _in_sum(done, seen, why)
        tranche, left = more, _left(study, options, done)
        study = _begun(with_tranche(study, tranche), selection, left, done, seen)
        run = run_study(study, selection, left, on_progress, workers)
        done.append(run)


def _looked(study: Study, tranche: int, options: RunOptions) -> PrecisionLook:
    store = open_store(study, look=True)
    items = store.read("items")
    planned = PlannedCells(study, store, items, options.policy)
    seen = look(planned, min(tranche, items.num_rows))
    keep_look(study, seen)
    return seen


def _many_errored(status: StudyStatus) -> str | None:
    """Of which so many errored: answers, rubrics, or the gradings of one grader. Null: of none.

    Each by itself: a grader in order makes up for no other.
    """
    tried, errored = Counter[str](), Counter[str]()
    for part in status.parts:
        kind = "rubrics" if part.partition.stage is RUBRIC else "answers"
        if part.partition.stage is GRADE:
            kind = f"gradings by {labels_in(part.label, part.partition)[1]}"
        errored[kind] += part.own("errored")
        tried[kind] += part.done + part.unparsed + part.own("blank") + part.own("errored")
    many = [kind for kind in tried if errored[kind] > _MANY_ERRORED * tried[kind]]
    return f"{errored[many[0]]:,} of {tried[many[0]]:,} {many[0]}" if many else None


def _left(study: Study, options: RunOptions, done: Sequence[RunSummary]) -> RunOptions:
    """What the next tranche may cost. What was to be called again, has been."""
    agreed = agreed_usd(options.consent_usd, study.config.budget)
    usd = max(0.0, agreed - sum(run.usd for run in done))
    return options.model_copy(update={"consent_usd": usd, "force": False, "skip_tried": True})


def _begun(
    study: Study,
    selection: Selection,
    options: RunOptions,
    done: Sequence[RunSummary],
    seen: PrecisionLook,
) -> Study:
    """The study with the next tranche, which the store knows from now on.

    Raises what the gate raises: then the store knows of no tranche that is not bought.
    """
    store = open_store(study, look=True)
    try:
        require_allowed(study, options, foreseen(study, store, selection, options))
    except (BudgetExceeded, ConsentMissing) as refusal:
        status = done[-1].status
        said = words_of_look(seen, status.design_items, status.usd)
        calls, usd = (sum(getattr(run, name) for run in done) for name in ("calls", "usd"))
        facts = {"calls_made": calls, "usd_of_run": usd, "half_width": seen.half_width or 0.0}
        raise type(refusal)(f"{said}\n{refusal}", {**refusal.facts, **facts}) from refusal
    tranche = study.snapshot.tranche
    assert tranche is not None
    keep_tranche(study.name, study.location, tranche)
    return study


def _in_sum(done: Sequence[RunSummary], seen: PrecisionLook, *why: str) -> RunSummary:
    """What all tranches did together, and how the study stands after the last; why it is so."""
    last = done[-1]
    status = last.status.looked_at(seen)
    return replace(
        last,
        status=status,
        run_ids=[id for run in done for id in run.run_ids],
        calls=sum(run.calls for run in done),
        cached=sum(run.cached for run in done),
        usd=sum(run.usd for run in done),
        recovered=sum(run.recovered for run in done),
        unpriced=sorted({model for run in done for model in run.unpriced}),
        unmetered=sorted({model for run in done for model in run.unmetered}),
        notes=list(dict.fromkeys([*(note for run in done for note in run.notes), *why])),
    )
