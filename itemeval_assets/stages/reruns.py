"""reruns: what the store says about partitions that want to be run again."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from itemeval_assets.core.budget import require_budget
from itemeval_assets.core.pricing import PriceBook
from itemeval_assets.core.reruns import Attempts, Decision, choose
from itemeval_assets.core.study import Asked, Partition, Study
from itemeval_assets.storage.attempts import read_attempts, write_attempts
from itemeval_assets.storage.locks import is_claimed
from itemeval_assets.storage.store import ResultsStore

from .estimate import estimate
from .gate import standing
from .stage_run import Scope
from .status import PartitionStatus, survey

__all__ = ["count_attempt", "decide", "reset", "settle", "wanting"]


def wanting(study: Study, store: ResultsStore) -> dict[Partition, str]:
    """What each partition lacks that a run can fill; sound ones are left out.

    A grading that waits for its solution lacks nothing that a grading run can fill.
    """
    found = survey(study, store)
    blank = study.config.solvers.on_empty == "rerun"
    return {
        part.partition: lack
        for part in (*found.generate, *found.grade)
        if (lack := _lack(part, blank))
    }


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

    `failed` partitions are those whose last run failed, whatever their rows look like. Raises
    BudgetExceeded, ConsentMissing, ConfigError or ModelError where the gate would.
    """
    lacking = {**dict.fromkeys(failed, "its last run failed"), **wanting(study, store)}
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
    _require_budget(study, store, prices, set(decision.chosen))
    return decision


def count_attempt(store: ResultsStore, partitions: Collection[Partition]) -> None:
    """A run that the schedule asked for has begun on these partitions."""
    known, now = read_attempts(store), datetime.now(UTC)
    for partition in partitions:
        made = known[partition].made if partition in known else 0
        known[partition] = Attempts(made + 1, now)
    write_attempts(store, known)


def settle(study: Study, store: ResultsStore, partitions: Collection[Partition]) -> None:
    """Forget the attempts on those of the partitions that are sound by now."""
    known = read_attempts(store)
    if not known.keys() & set(partitions):
        return
    lacking = wanting(study, store)
    reset(store, {part for part in partitions if part not in lacking})


def reset(store: ResultsStore, partitions: Collection[Partition] | None = None) -> list[Partition]:
    """Forget the attempts on these partitions, or on all; those that had any."""
    known = read_attempts(store)
    forgotten = [part for part in known if partitions is None or part in partitions]
    write_attempts(store, {part: tried for part, tried in known.items() if part not in forgotten})
    return forgotten


def _lack(part: PartitionStatus, with_blank: bool) -> str:
    counts = {"errored": part.errored, "missing": part.missing, "stale": part.stale}
    if with_blank:
        counts["blank"] = part.blank
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _require_budget(
    study: Study, store: ResultsStore, prices: PriceBook, chosen: set[Partition]
) -> None:
    """Raise as the gate would if all the chosen partitions were run now, without consent."""
    if not chosen:
        return
    scope = Scope(study=study, store=store, prices=prices, items=store.read("items"))
    asked = Asked(
        generate=[c.id for c in study.design.generate],
        grade=[c.id for c in study.design.grade],
        partitions=chosen,
    )
    foreseen = estimate(scope, asked, in_full=False)
    require_budget(foreseen.remaining, study.config.budget, standing(study, store, prices), None)
