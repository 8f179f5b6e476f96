"""reruns: what the store says about partitions that want to be run again."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.budget import require_budget
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.core.records.reruns import Decision, admit, choose
from itemeval_assets.stages import items
from itemeval_assets.stages.calls.gate import standing
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.projection.estimate import estimate
from itemeval_assets.storage.study.attempts import count_attempts, forget_attempts, read_attempts
from itemeval_assets.storage.study.locks import is_claimed
from itemeval_assets.storage.study.store import ResultsStore

from .status import PartitionStatus, survey


def wanting(study: Study, store: ResultsStore) -> dict[Partition, str]:
    """What each partition lacks that a run can fill; sound ones are left out.

    A grading without a solution lacks nothing that a grading run can fill.
    """
    found = survey(study, store)
    blank = study.config.solvers.on_empty == "rerun"
    return {part.partition: lack for part in found.parts if (lack := _lack(part, blank))}


def decide(
    study: Study,
    store: ResultsStore,
    prices: PriceBook,
    *,
    in_progress: Collection[Partition] = (),
    failed: Collection[Partition] = (),
    now: datetime | None = None,
) -> Decision:
    """What to ask for now. Remembers nothing, so that it can be previewed. Calls nobody.

    `failed` partitions are those whose last run failed, whatever their rows look like. What the
    gate would refuse is left out, with its reason. Before the first run everything is missing.
    Raises DatasetError or StoreError where nobody can say what is missing.
    """
    lacks = {**dict.fromkeys(failed, "its last run failed"), **wanting(study, store)}
    lacking = {part: lacks[part] for part in study.partitions() if part in lacks}
    claimed = {part for part in lacking if is_claimed(store.backend, part)}
    automation = study.config.automation
    decision = choose(
        lacking,
        {*in_progress, *claimed},
        read_attempts(store),
        now or datetime.now(UTC),
        max_attempts=automation.max_attempts,
        retry_after=timedelta(minutes=automation.retry_after_minutes),
    )
    return _within_budget(study, store, prices, decision, lacking)


def count_attempt(store: ResultsStore, partitions: Collection[Partition]) -> None:
    """A run that the schedule asked for has begun on these partitions."""
    count_attempts(store, partitions, datetime.now(UTC))


def settle(study: Study, store: ResultsStore, partitions: Collection[Partition]) -> None:
    """Forget the attempts on those of the partitions that are sound by now."""
    known = read_attempts(store)
    if not known.keys() & set(partitions):
        return
    lacking = wanting(study, store)
    reset(store, {part for part in partitions if part not in lacking})


def reset(store: ResultsStore, partitions: Collection[Partition] | None = None) -> list[Partition]:
    """Forget the attempts on these partitions, or on all; those that had any."""
    return forget_attempts(store, partitions, datetime.now(UTC))


def _lack(part: PartitionStatus, with_blank: bool) -> str:
    states = ("errored", "missing", "stale", *(["blank"] if with_blank else []))
    return ", ".join(f"{part.own(state)} {state}" for state in states if part.own(state))


def _within_budget(
    study: Study,
    store: ResultsStore,
    prices: PriceBook,
    decision: Decision,
    lacking: Mapping[Partition, str],
) -> Decision:
    """What of the decision the gate would allow if it were run now, without consent."""
    if not decision.chosen:
        return decision
    scope = Scope(study=study, store=store, prices=prices, items=items.known(study, store).table)
    foreseen = estimate(scope, Selection(tuple(decision.chosen)), in_full=False)
    parts = {part.partition: part for part in foreseen.parts}
    spent = standing(store, prices).without_waiting(foreseen.waiting_usd)

    def allow(projection: Projection) -> None:
        require_budget(projection, study.config.budget, spent, None)

    return admit(
        decision,
        lacking,
        {partition: part.remaining for partition, part in parts.items()},
        {partition: part.unreachable for partition, part in parts.items() if part.unreachable},
        allow,
    )
