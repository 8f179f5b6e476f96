"""What makes calls, what it would cost, and what a stopped run has left."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GRADE, NamedPartition, Partition
from itemeval_assets.core.design.selection import Selection, Words, select, with_families
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.design.times import time_of, with_time
from itemeval_assets.core.errors import ConfigError

from .arguments import amount, as_study, flag, opened_store, options_of, processes_of, with_task
from .results import status

if TYPE_CHECKING:
    from itemeval_assets.core.money.preflight import ModelHealth
    from itemeval_assets.engine.calls.progress import Progress
    from itemeval_assets.runs.summary import RunSummary
    from itemeval_assets.stages.projection.estimate import StudyEstimate


def run(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    errored: bool = False,
    force: bool = False,
    accept_changes: bool = False,
    policy: str | None = None,
    wave: str | None = None,
    rejudge: str | None = None,
    anchors: int | None = None,
    max_usd: float | None = None,
    workers: int = 1,
    on_progress: "Callable[[Progress], None] | None" = None,
) -> "RunSummary":
    """Run a study: make the calls that are pending, and no others.

    `only` is solutions, item_rubrics or gradings. `conditions` select generate conditions by
    label, slug, id, the start of an id, or model. `graders` and `rubrics` select grade
    conditions by label, slug, id, the start of an id, or name; scorers are graders, too. A word
    that selects nothing is an error. `max_usd` is your consent to spend so much on this run,
    all stages together; infinity allows any cost below `budget.max_usd`. `errored` selects only
    partitions with an errored cell. `accept_changes`: answers to items that changed since, and
    gradings of them, are made again; without it they are an error. `workers`: the number of
    processes that share the partitions of each stage. One criterion of a rubric is run with all
    that its call grades. `wave`: ask all models again, under this name of a later time;
    `rejudge`: have the judges grade the first answers again; `anchors`: only so many items,
    drawn at random. A name that is new is written into the YAML. With `precision` in the YAML
    it buys items until that is reached, and `max_usd` is for all tranches. Raises an
    ItemevalAssetsError that says what to do.
    """
    from itemeval_assets.runs.study import run_study

    known, study, selection, options = _asked(
        config,
        (only, conditions, graders, rubrics),
        (wave, rejudge, anchors),
        errored=errored,
        options=lambda study: options_of(study, force, policy, max_usd),
    )
    if on_progress is not None and not callable(on_progress):
        raise ConfigError(f"on_progress: {on_progress!r} cannot be called")
    processes, accept = processes_of(workers), flag("accept_changes", accept_changes)
    if study is not known:
        from itemeval_assets.runs.new_times import write_time

        write_time(known, study, selection, options)
    if study.config.precision:
        from itemeval_assets.runs.precise import run_in_tranches as run_study
    return run_study(study, selection, options, on_progress, processes, accept_changes=accept)


def estimate(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    errored: bool = False,
    force: bool = False,
    accept_changes: bool = False,
    policy: str | None = None,
    wave: str | None = None,
    rejudge: str | None = None,
    anchors: int | None = None,
) -> "StudyEstimate":
    """Calls and cost of a `run` with the same arguments. No model is called, and nothing accepted.

    Nor is anything written into the YAML.

    USD and tokens are upper limits; the expected figures are estimated from stored calls.
    """
    from itemeval_assets.stages.projection.estimate import preview
    from itemeval_assets.storage.study.inputs.task_lock import keep_task

    _, study, selection, options = _asked(
        config,
        (only, conditions, graders, rubrics),
        (wave, rejudge, anchors),
        errored=errored,
        options=lambda study: options_of(study, force, policy, None),
    )
    accept, store = flag("accept_changes", accept_changes), opened_store(study)
    found = preview(study, store, options, selection, accept_changes=accept)
    keep_task(study)
    return found


def preflight(config: str | Path | Study, *, max_usd: float | None = None) -> "list[ModelHealth]":
    """Make one tiny call to each model: ok, dead or unverified. The ledger has its cost."""
    from itemeval_assets.runs.preflight import run_preflight

    return run_preflight(with_task(config), amount(max_usd))


def recover(config: str | Path | Study, accept_loss: bool = False) -> "RunSummary":
    """Recover finished answers and their costs from the logs of killed runs. No model is called.

    Rows that are lost, and still in the ledger, come back from their logs. If these logs are gone,
    too, raises EvidenceLost, which says what is lost. `accept_loss` records the loss: the cost
    stays in the ledger, and the next run calls the missing cells again. It also ends the wait for
    batches that nobody can collect, or that no cell wants any more.
    """
    from itemeval_assets.runs.study import run_study
    from itemeval_assets.stages.calls.recovery.evidence import partitions_to_mend

    study = as_study(config)
    accept_loss = flag("accept_loss", accept_loss)
    everything = select(study.design)
    left = everything.within(partitions_to_mend(opened_store(study), everything.partitions))
    left = with_families(study.design, left)
    return run_study(study, left, RunOptions(recover_only=True), accept_loss=accept_loss)


def reset(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
) -> list[NamedPartition]:
    """Let the schedule run these partitions again: set the count of its attempts to zero.

    They are selected as in `run`; if graders or rubrics are named, only gradings. Returns the
    partitions that the schedule had run or given up.
    """
    from itemeval_assets.stages.views import reruns

    study = as_study(config)
    selection = select(study.design, only, conditions, graders, rubrics)
    names_judges = graders is not None or rubrics is not None
    chosen = selection.of(GRADE) if names_judges else selection.partitions
    return study.named(reruns.reset(opened_store(study), chosen))


def _asked(
    config: str | Path | Study,
    words: tuple[str | None, Words, Words, Words],
    time: tuple[str | None, str | None, int | None],
    *,
    errored: bool,
    options: Callable[[Study], RunOptions],
) -> tuple[Study, Study, Selection, RunOptions]:
    """The study as its file has it and with the time of the run, and what it is asked to do.

    `words` select partitions, and `time` is a wave or a rejudge with its anchors.
    """
    later, known = time_of(*time), with_task(config)
    study = with_time(known, later, time[-1]) if later else known
    if study is not known:
        from itemeval_assets.runs.new_times import require_items

        require_items(study, time[-1])
    selection = select(study.design, *words).at(later, study.design)
    asked = options(study)
    if flag("errored", errored):
        selection = selection.within(_errored(study, asked.policy))
    return known, study, with_families(study.design, selection), asked


def _errored(study: Study, policy: str | None) -> list[Partition]:
    found = status(study, policy=policy)
    return [part.partition for part in found.parts if part.own("errored")]
