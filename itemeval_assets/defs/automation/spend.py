"""What runs have spent, and how near a study is to its limit: told once they are at rest."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.steps import opened
from itemeval_assets.storage.study.inputs import prices_if_needed

from .messages import assets_of, spend_text

# Parts of budget.max_usd that are told when a study has spent them.
LEVELS = (0.5, 0.8, 1.0)
_AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# Of a study: its runs that ended and are not told yet, and the limit and level told last.
Told = dict[str, dict[str, Any]]


def note_run(
    instance: dg.DagsterInstance, told: Told, run_id: str, studies: Collection[str]
) -> None:
    """Remember a run that ended under each study that it had assets of."""
    run = instance.get_run_by_id(run_id)
    for name in {key.path[0] for key in assets_of(instance, run)} & set(studies) if run else ():
        own = told.setdefault(name, {})
        own["runs"], own["new"] = [*own.get("runs", []), run_id], True


def spends(instance: dg.DagsterInstance, told: Told, study: Study, ui_url: str) -> Iterator[str]:
    """What to tell of the runs of a study that ended: nothing, where they cost nothing.

    While a run of the study is at work, they are told only where a level is passed: a backfill
    has hundreds of them. Raises StoreError where the results cannot be read.
    """
    # Late: definitions load without pyarrow.
    from itemeval_assets.stages.calls.gate import standing

    own = told.get(study.name, {})
    runs, is_new = own.get("runs", []), own.pop("new", False)
    is_busy = bool(runs) and study.name in _busy(instance)
    if not runs or (is_busy and not is_new):
        return
    store = opened(study, look=True)
    spent, cap = standing(store, prices_if_needed(study)).spent_usd, study.config.budget.max_usd
    passed = _passed(own, spent, cap)
    if is_busy and passed is None:
        return
    own["runs"] = []
    called = stages.ledger.calls_of_runs(store, runs)
    if passed is not None or any(row["usd"] for row in called):
        yield spend_text(study.name, called, spent, cap, passed, ui_url)


def _passed(told: dict[str, Any], spent: float, cap: float | None) -> float | None:
    """The highest level that is passed since the last message; a new limit begins anew."""
    if "cap" not in told or told["cap"] != cap:
        told.update(level=_level(spent, cap) if "cap" in told else 0.0, cap=cap)
    level = _level(spent, cap)
    if level <= told["level"]:
        return None
    told["level"] = level
    return level


def _level(spent: float, cap: float | None) -> float:
    return max((level for level in LEVELS if cap and spent >= level * cap), default=0.0)


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """The studies with runs in progress."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_AT_WORK))
    return {key.path[0] for run in runs for key in assets_of(instance, run)}
