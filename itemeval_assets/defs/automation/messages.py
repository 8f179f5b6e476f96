"""What notifications say: which assets of which study, what went wrong, and where to look."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import dagster as dg

from itemeval_assets.dagster_io.failures import failure_text
from itemeval_assets.dagster_io.names import RANGE_END, RANGE_START

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
    keys = [key for key in _assets_of(context.instance, run) if key.path[0] in studies]
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
    wanted = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    failed: dict[dg.AssetCheckKey, list[dg.AssetCheckEvaluation]] = {}
    for record in instance.get_records_for_run(run_id, of_type=wanted).records:
        event = record.event_log_entry.dagster_event
        found = event.asset_check_evaluation_data if event else None
        if found is not None and not found.passed and found.asset_key.path[0] in studies:
            failed.setdefault(found.asset_check_key, []).append(found)
    if not failed:
        return None
    names = ", ".join(sorted({key.asset_key.path[0] for key in failed}))
    lines = [_check_line(key, results) for key, results in failed.items()]
    return _message(f"Study {names}: checks failed", *lines, *_run(run_id, ui_url))


def _check_line(key: dg.AssetCheckKey, results: list[dg.AssetCheckEvaluation]) -> str:
    blocks = any(result.severity == dg.AssetCheckSeverity.ERROR for result in results)
    # A range leaves a result of its own, which repeats those of the partitions.
    single = [result for result in results if result.partition is not None] or results
    parts = [_offence(result) for result in single[:_PARTITIONS]]
    more = len(single) - len(parts)
    listed = "; ".join([*parts, *([f"and {more} more partitions"] if more else [])])
    name = f"{key.asset_key.path[-1]} {key.name}"
    return f"{name} ({'blocking' if blocks else 'warning'}): {listed}"


def _offence(result: dg.AssetCheckEvaluation) -> str:
    rows = result.metadata.get("offending rows")
    count = "failed" if rows is None else f"{rows.value} row{'s'[: rows.value != 1]}"
    return f"{count} in {result.partition}" if result.partition else count


def _assets_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[dg.AssetKey]:
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
