"""The estimate: what a run would call and cost, without a call. Uses the predicates of the runs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from itemeval_assets.core.design.items.sampling import Sample
from itemeval_assets.core.design.items.targets import Ungradable
from itemeval_assets.core.design.options import PlanOptions
from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition, Stage
from itemeval_assets.core.design.precise import is_whole
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.design.tranches import tranche_of, with_tranche
from itemeval_assets.core.money.budget import Standing
from itemeval_assets.core.money.native import words_on_routes
from itemeval_assets.core.money.pricing import THIS_MACHINE, words_on_ending
from itemeval_assets.core.money.projection.estimate import (
    NOTHING,
    OUTPUT_TOKENS_UNCAPPED,
    Calibration,
    Projection,
)
from itemeval_assets.core.money.projection.samples import words_on_samples
from itemeval_assets.core.money.projection.wall_time import WallTime, wall_time
from itemeval_assets.core.text.words import dollars
from itemeval_assets.engine.calls.evaluate import connections_to
from itemeval_assets.stages import items
from itemeval_assets.stages.calls.doubts import doubts, ungradable_items
from itemeval_assets.stages.calls.gate import standing
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import ResultsStore

from .foresight import CellTokens, Foresight, PartitionEstimate


@dataclass(frozen=True)
class StudyEstimate:
    """What the study would call, per partition and in sum. Scorers call nobody and are left out.

    `wall_time_s`: how long the remaining calls may take; null while no latency was observed.
    `unreachable`: why a model that is to be called cannot be had, for want of a key, say.
    `ungradable`: items that a scorer gives no score, because of their targets.
    `sample`: what the items were drawn from; null: they are all. `changed`: the items that are
    asked again, since they are others now. `model_sample`: how the models were drawn, in words.
    `waiting_usd`: what of the remaining ceiling is that of calls in batches, which are collected
    and not sent again. `tranche`: with `precision`, the items that the figures are of;
    `all_tranches`: what remains if the whole sample is bought; null where a run does not do that.
    `rubrics`: those that models write.
    """

    study: str
    policy: str
    items: int
    replications: int
    generate: list[PartitionEstimate]
    grade: list[PartitionEstimate]
    grid: Projection
    remaining: Projection
    spent_usd: float
    reserved_usd: float
    confirm_above_usd: float
    max_usd: float | None
    wall_time_s: WallTime | None
    warnings: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    ungradable: list[Ungradable] = field(default_factory=list)
    model_sample: str | None = None
    sample: Sample | None = None
    changed: list[str] = field(default_factory=list)
    waiting_usd: float = 0.0
    tranche: int | None = None
    all_tranches: Projection | None = None
    rubrics: list[PartitionEstimate] = field(default_factory=list)

    @property
    def parts(self) -> list[PartitionEstimate]:
        """Those of all stages, in the order of a run."""
        return [*self.generate, *self.rubrics, *self.grade]


def estimate(scope: Scope, selection: Selection, *, in_full: bool = True) -> StudyEstimate:
    """Estimate a run of what is asked for. Makes no call, and writes nothing.

    A grading that waits for its solution is counted: the solution will be there by then.
    Without `in_full` only the ceiling of what remains is worked out: what the gate asks for.
    """
    foresight = Foresight(scope, selection, in_full)
    parts = _walk(scope, foresight, selection)
    return _in_sum(scope, foresight, parts, ungradable_items(scope, selection.of(GRADE)))


def cells_of(scope: Scope, selection: Selection) -> dict[Partition, CellTokens]:
    """What `estimate` sums up, cell by cell, of all partitions that call a model."""
    found: dict[Partition, CellTokens] = {}
    _walk(scope, Foresight(scope, selection, in_full=True, by_cell=found), selection)
    return found


def _walk(
    scope: Scope, foresight: Foresight, selection: Selection
) -> dict[Stage, list[PartitionEstimate]]:
    """The solutions and rubrics first: what they yield is graded, or graded by."""
    answered = (part for part in selection.partitions if part.stage is not RUBRIC)
    rows = dict.fromkeys(part.solutions for part in answered)
    gradings = [one for one in selection.of(GRADE) if not scope.study.design.is_free(one)]
    return {
        GENERATE: [foresight.of_solutions(part) for part in rows],
        RUBRIC: [foresight.of_rubrics(part) for part in selection.of(RUBRIC)],
        GRADE: [foresight.of_gradings(part) for part in gradings],
    }


def preview(
    study: Study,
    store: ResultsStore,
    options: PlanOptions,
    selection: Selection,
    *,
    accept_changes: bool = False,
) -> StudyEstimate:
    """Estimate a run with the prices and data of now, before there is one: nothing is pinned.

    `accept_changes`: items that changed are asked again.
    """
    prices, found = load_prices(study), items.peek(study, store, accept_changes=accept_changes)
    scope = Scope(
        study=study,
        store=store,
        prices=prices,
        items=found.table,
        options=options,
        outdated=found.outdated,
    )
    now, whole = estimate(scope, selection), all_tranches(scope, selection)
    return replace(now, all_tranches=whole, sample=found.sample, changed=list(found.changed))


def all_tranches(scope: Scope, selection: Selection) -> Projection | None:
    """What remains to be called if no tranche reaches the target.

    Null without tranches, and where so little is chosen that no further one is begun.
    """
    asked = scope.study.config.precision
    if asked is None or tranche_of(scope.study, scope.extent) is None:
        return None
    if not is_whole(scope.study.design, asked, selection):
        return None
    study = with_tranche(scope.study, max(1, scope.items.num_rows))
    whole = Scope(
        study=study,
        store=scope.store,
        prices=scope.prices,
        items=scope.items,
        options=scope.options,
        outdated=scope.outdated,
    )
    return estimate(whole, selection, in_full=False).remaining


def words_of_whole(found: StudyEstimate, whole: Projection) -> list[str]:
    """What the tranches to come may cost, beside this one; nothing where there are none."""
    if whole.calls <= found.remaining.calls:
        return []
    return [
        f"precision: these figures are of the first {found.tranche:,} of {found.items:,} items; a"
        f" run that buys all makes up to {whole.calls - whole.cached:,} calls, for at most"
        f" {dollars(whole.usd)}"
    ]


def _in_sum(
    scope: Scope,
    foresight: Foresight,
    by_stage: Mapping[Stage, list[PartitionEstimate]],
    ungradable: list[Ungradable],
) -> StudyEstimate:
    extent, budget = scope.extent, scope.study.config.budget
    tranche = tranche_of(scope.study, extent)
    parts = [part for found in by_stage.values() for part in found]
    waiting_usd = sum(part.waiting_usd for part in parts)
    found = standing(scope.store, scope.prices).without_waiting(waiting_usd)
    grid = sum((part.grid for part in parts), NOTHING)
    models = sorted({part.model for part in parts})
    local = [model for model in models if scope.book.source_of(model) == THIS_MACHINE]
    remaining = sum((part.remaining for part in parts), NOTHING)
    return StudyEstimate(
        study=scope.study.name,
        policy=extent.policy,
        items=min(scope.items.num_rows, extent.items_limit or scope.items.num_rows),
        replications=extent.replications,
        generate=by_stage[GENERATE],
        grade=by_stage[GRADE],
        grid=grid,
        remaining=remaining,
        spent_usd=found.spent_usd,
        reserved_usd=found.reserved_usd + found.waiting_usd,
        confirm_above_usd=budget.confirm_above_usd,
        max_usd=budget.max_usd,
        wall_time_s=_wall_time(scope, foresight, by_stage),
        warnings=[
            *doubts(scope, ungradable),
            *(scope.models.doubts.values() if remaining.calls else ()),
            *_routes(scope, models),
            *_images(scope.study, grid),
            *_calls_of_task(scope.study, grid),
            *_limits(scope, found, remaining),
            *(_endings(models) if remaining.calls else ()),
            *_warnings(grid, local, foresight.unreachable),
        ],
        model_sample=scope.study.model_sample,
        unreachable=list(dict.fromkeys(foresight.unreachable.values())),
        ungradable=ungradable,
        waiting_usd=waiting_usd,
        tranche=None if tranche is None else min(tranche, scope.items.num_rows),
        rubrics=by_stage[RUBRIC],
    )


def _wall_time(
    scope: Scope, foresight: Foresight, by_stage: Mapping[Stage, list[PartitionEstimate]]
) -> WallTime | None:
    """The stages run one after the other, the models of a stage side by side."""
    times = []
    for stage, parts in by_stage.items():
        calls: dict[str, int] = {}
        for part in parts:
            paid = part.remaining.calls - part.remaining.cached
            calls[part.model] = calls.get(part.model, 0) + paid
        latencies: dict[str, Calibration | None] = foresight.calibrations[stage]
        solvers = scope.study.config.solvers
        times.append(
            wall_time(
                calls,
                {model: found.latency_s if found else None for model, found in latencies.items()},
                {model: connections_to(solvers, scope.called_as(model)) for model in calls},
                [model for model in calls if scope.batch(model)],
            )
        )
    return None if None in times else WallTime(*map(sum, zip(*times, strict=True)))  # type: ignore[arg-type]


def _limits(scope: Scope, found: Standing, remaining: Projection) -> Iterator[str]:
    """What keeps a run from all of the design: its policy, and the budget."""
    extent, budget = scope.extent, scope.study.config.budget
    items, replications = scope.items.num_rows, scope.study.config.facets.replications
    if (extent.items_limit or items) < items or extent.replications < replications:
        yield (
            f"policy {extent.policy} takes {min(extent.items_limit or items, items):,} of"
            f" {items:,} items and {extent.replications} of {replications} replications: these"
            " figures are of them alone; --policy full-interactive shows all"
        )
    most = found.committed_usd + remaining.usd
    is_paid = remaining.calls > remaining.cached
    if budget.max_usd is not None and is_paid and most > budget.max_usd:
        yield (
            f"a run of all this is refused: it may bring the study to {dollars(most)}, and"
            f" budget.max_usd is {dollars(budget.max_usd)}"
        )


def _routes(scope: Scope, models: list[str]) -> list[str]:
    """Who is asked in whose batches, where that is another one than the YAML names."""
    is_wanted = scope.study.config.budget.prefer_native_batch and scope.extent.batch
    return words_on_routes(models, scope.routes) if is_wanted else []


def _images(study: Study, grid: Projection) -> Iterator[str]:
    if study.config.benchmark.mapping.images and grid.calls:
        yield (
            "images are not counted: how many tokens one takes depends on the model, hundreds to "
            "tens of thousands; the limits of the budget hold once calls have told their cost"
        )


def _calls_of_task(study: Study, grid: Projection) -> Iterator[str]:
    if study.snapshot.task and grid.calls and not study.config.benchmark.from_logs:
        yield from words_on_samples(study.snapshot.task)


def _endings(models: Iterable[str]) -> list[str]:
    return [words for words in map(words_on_ending, models) if words]


def _warnings(grid: Projection, local: list[str], unreachable: Mapping[str, str]) -> Iterator[str]:
    if grid.uncapped:
        yield (
            f"no max_tokens is set for {', '.join(grid.uncapped)}: the estimate takes at most "
            f"{OUTPUT_TOKENS_UNCAPPED} tokens for each answer"
        )
    if grid.unpriced:
        yield f"no price is known for {', '.join(grid.unpriced)}: the USD are without their calls"
    if local:
        yield f"on this machine, free: {', '.join(local)}"
    yield from dict.fromkeys(_out_of_reach(model, why) for model, why in unreachable.items())


def _out_of_reach(model: str, problem: str) -> str:
    """What keeps a model from its calls; where it is the task, that is the same for all models."""
    where, of_model, reason = problem.partition(f": {model}: ")
    if not of_model:
        return problem
    return f"{model} ({where}) can be neither called nor looked up in the response cache: {reason}"
