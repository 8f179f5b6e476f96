"""What the checks of a run found, as Dagster recorded it."""

from collections.abc import Collection

import dagster as dg


def results_of_checks(
    instance: dg.DagsterInstance, run_id: str, studies: Collection[str]
) -> dict[dg.AssetCheckKey, list[dg.AssetCheckEvaluation]]:
    """The results of the checks of these studies in a run, one for each partition."""
    wanted = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    results: dict[dg.AssetCheckKey, list[dg.AssetCheckEvaluation]] = {}
    for record in instance.get_records_for_run(run_id, of_type=wanted).records:
        event = record.event_log_entry.dagster_event
        found = event.asset_check_evaluation_data if event else None
        if found is not None and found.asset_key.path[0] in studies:
            results.setdefault(found.asset_check_key, []).append(found)
    return {check: _of_partitions(found) for check, found in results.items()}


def _of_partitions(results: list[dg.AssetCheckEvaluation]) -> list[dg.AssetCheckEvaluation]:
    """A range leaves a result of its own, which repeats those of the partitions."""
    return [result for result in results if result.partition is not None] or results
