"""What notifications say: which assets of which study, what went wrong, and where to look."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import dagster as dg

from itemeval_assets.core.money.providers import is_mock
from itemeval_assets.core.text.words import counted, dollars
from itemeval_assets.dagster_io.failures import failure_text
from itemeval_assets.dagster_io.naming.names import RANGE_END, RANGE_START

from .results_of_checks import results_of_checks

# Refusals of the gate, whose messages say in full what to do about them.
_REFUSALS = {"ConsentMissing": "needs consent to spend", "BudgetExceeded": "is over budget.max_usd"}
# How much of an error, and how many partitions of a check, a message has.
_LINES, _CHARACTERS, _PARTITIONS = 5, 1500, 5
_PLANNED = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}


def broken_study_text(
    group: str, file: str, problem: str, ui_url: str, hide: Callable[[str], str]
) -> str:
    """What to tell of a study that cannot be loaded."""
    link = f"{ui_url.rstrip('/')}/assets/{group}/study" if ui_url else ""
    return _message(f"Study {group}: cannot be loaded", file, _cut(hide(problem)), link)


def failed_run_text(
    context: dg.RunFailureSensorContext,
    studies: Collection[str],
    ui_url: str,
    hide: Callable[[str], str],
) -> str | None:
    """What to tell of a failed run; None for one without assets of these studies.

    `hide` takes secrets out of an error. It comes before the cut: half a secret is none to it.
    """
    run = context.dagster_run
    keys = [key for key in assets_of(context.instance, run) if key.path[0] in studies]
    if not keys:
        return None
    what, error = _why(context, hide)
    names = ", ".join(sorted({key.path[0] for key in keys}))
    assets = ", ".join(sorted({key.path[-1] for key in keys}))
    return _message(
        f"Study {names}: a run {what}",
        f"assets: {assets}",
        _partitions_of(run.tags),
        error,
        *_run(run.run_id, ui_url),
    )


def failed_checks_text(
    instance: dg.DagsterInstance, run_id: str, studies: Collection[str], ui_url: str
) -> str | None:
    """What to tell of the failed checks of a run; None where none of these studies failed.

    One line per check, whether it blocks or warns, with the partitions and rows that break it.
    """
    found = results_of_checks(instance, run_id, studies)
    failed = {
        key: [result for result in results if not result.passed] for key, results in found.items()
    }
    lines = [_check_line(key, results) for key, results in failed.items() if results]
    if not lines:
        return None
    names = ", ".join(sorted({key.asset_key.path[0] for key in failed if failed[key]}))
    return _message(f"Study {names}: checks failed", *lines, *_run(run_id, ui_url))


def well_again_text(study: str, found: Sequence[str], run_id: str, ui_url: str) -> str:
    """What to tell of a study of which something had failed that is well now."""
    return _message(f"Study {study}: well again", *found, *_run(run_id, ui_url))


def loads_again_text(study: str, file: str) -> str:
    """What to tell of a study that could not be loaded before."""
    return _message(f"Study {study}: can be loaded again", file)


def spend_text(
    study: str,
    called: Sequence[Mapping[str, Any]],
    spent: float,
    cap: float | None,
    passed: float | None,
    ui_url: str,
) -> str:
    """What to tell of money; `called`: the ledger rows of the runs, `passed`: a part of the cap."""
    runs = list(dict.fromkeys(str(row["run_id"]) for row in called))
    cost, calls = sum(row["usd"] or 0.0 for row in called), sum(row["calls"] for row in called)
    what = f"{counted(len(runs), 'run')} spent {dollars(cost)} in {counted(calls, 'call')}"
    of_cap = f" of budget.max_usd {dollars(cap)} ({100 * spent / cap:.0f} %)" if cap else ""
    in_all = f"spent so far: {dollars(spent)}{of_cap}"
    mocks = sorted({row["model"] for row in called if row["usd"] and is_mock(row["model"])})
    free = f"{', '.join(mocks)}: mock prices; nobody pays these dollars" if mocks else ""
    link = _run(runs[-1], ui_url) if runs else ()
    if passed is None:
        return _message(f"Study {study}: {what}", in_all, free, *link)
    headline = f"Study {study}: {100 * passed:.0f} % of budget.max_usd is spent"
    return _message(headline, in_all, what if runs else "", free, *link)


def left_out_text(why: str, reasons: Mapping[str, str], todo: str) -> str:
    """What to tell of partitions that the schedule leaves out: {partition: reason}."""
    lines = [f"{partition}: {reason}" for partition, reason in reasons.items()]
    more = len(lines) - _PARTITIONS
    rest = [f"and {more} more"] if more > 0 else []
    return _message(why, *lines[:_PARTITIONS], *rest, todo)


def _check_line(key: dg.AssetCheckKey, results: list[dg.AssetCheckEvaluation]) -> str:
    blocks = any(result.severity == dg.AssetCheckSeverity.ERROR for result in results)
    parts = [_offence(result) for result in results[:_PARTITIONS]]
    more = len(results) - len(parts)
    listed = "; ".join([*parts, *([f"and {more} more partitions"] if more else [])])
    name = f"{key.asset_key.path[-1]} {key.name}"
    return f"{name} ({'blocking' if blocks else 'warning'}): {listed}"


def _offence(result: dg.AssetCheckEvaluation) -> str:
    rows = result.metadata.get("offending rows")
    count = "failed" if rows is None else f"{rows.value} row{'s'[: rows.value != 1]}"
    return f"{count} in {result.partition}" if result.partition else count


def assets_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[dg.AssetKey]:
    """The assets a run was asked for, or whose checks; of a job as a whole, what it planned."""
    keys = {*(run.asset_selection or ())}
    keys |= {check.asset_key for check in run.asset_check_selection or ()}
    if keys:
        return keys
    records = instance.get_records_for_run(run.run_id, of_type=_PLANNED).records
    events: list[Any] = [record.event_log_entry.dagster_event for record in records]
    return {event.event_specific_data.asset_key for event in events if event}


def _partitions_of(tags: Mapping[str, str]) -> str:
    if RANGE_START in tags:
        return f"partitions: {tags[RANGE_START]} to {tags.get(RANGE_END)}"
    return f"partition: {tags['dagster/partition']}" if "dagster/partition" in tags else ""


def _why(context: dg.RunFailureSensorContext, hide: Callable[[str], str]) -> tuple[str, str]:
    """What the run did, and the message of the step that failed first, or of the gate."""
    failures = context.get_step_failure_events()
    for event in failures:
        user = event.step_failure_data.user_failure_data
        kind = str(user.metadata["error"].value) if user and "error" in user.metadata else ""
        if user is not None and kind in _REFUSALS:
            return _REFUSALS[kind], hide(user.description or "")[:_CHARACTERS]
    if not failures:
        error = getattr(context.failure_event.event_specific_data, "error", None)
        return "failed", _cut(hide(error.message if error else context.failure_event.message or ""))
    more = len(failures) - 1
    others = f"\n{more} more step{'s'[: more != 1]} failed" if more else ""
    return "failed", f"in {failures[0].step_key}: {_cut(hide(failure_text(failures[0])))}{others}"


def _cut(text: str) -> str:
    lines = [line.rstrip() for line in (text.strip() or "no message").splitlines()]
    cut = "\n".join(lines[:_LINES])[:_CHARACTERS]
    return cut if cut == "\n".join(lines) else f"{cut} ..."


def _run(run_id: str, ui_url: str) -> list[str]:
    return [f"run {run_id}", f"{ui_url.rstrip('/')}/runs/{run_id}" if ui_url else ""]


def _message(*lines: str) -> str:
    return "\n".join(filter(None, lines))
