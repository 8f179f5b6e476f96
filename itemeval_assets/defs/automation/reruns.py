"""The schedule that runs again what failed, down to the cell: off until somebody starts it."""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition
from itemeval_assets.core.design.spans import spans
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.dagster_io.failures import in_event, users_errors
from itemeval_assets.dagster_io.keys import PartitionKeys
from itemeval_assets.dagster_io.names import (
    RANGE_END,
    RANGE_START,
    RERUN_TAG,
    asset_key,
    identifier,
)
from itemeval_assets.dagster_io.partitions import generate_partitions, grade_partitions
from itemeval_assets.dagster_io.steps import opened
from itemeval_assets.storage.study.inputs import load_prices

# Dagster's own job of all assets: solutions and gradings have different partitions, which no
# other job can hold together.
_ALL_ASSETS_JOB = "__ASSET_JOB"
# A partition is given up after a few; the newest come first.
_MOST_FAILURES = 200


def rerun_schedule(study: Study) -> dg.ScheduleDefinition:
    """A tick asks for exactly the partitions with errored, missing or stale cells.

    And for those whose last run failed; each run calls just those cells. See `core.reruns` for
    what is left out, and why: the log of the tick says it, or its skip reason.
    """

    @dg.schedule(
        name=f"{identifier(study)}_reruns",
        cron_schedule=study.config.automation.cron,
        job_name=_ALL_ASSETS_JOB,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Makes the calls of missing, errored and stale cells, and no others.",
    )
    def reruns(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        # Late: definitions load without pyarrow.
        from itemeval_assets.storage.study.attempts import count_failures

        with users_errors():
            store = opened(study)
            progress, failed = _by_dagster(context.instance, study)
            try:
                count_failures(store, list(_failed_runs(context.instance, study)))
                decision = stages.reruns.decide(
                    study, store, load_prices(study), in_progress=progress, failed=failed
                )
            except ItemevalAssetsError as refusal:
                return dg.SkipReason(f"no run is started: {in_event(str(refusal))}")
        keys = PartitionKeys(study)
        for partition in decision.given_up:
            context.log.warning(
                f"{keys.of(partition)}: {decision.left_out[partition]}. Look at its errors; "
                f"then: itemeval-assets reset {study.config_path}"
            )
        for partition in decision.refused:
            context.log.warning(f"{keys.of(partition)}: {decision.left_out[partition]}")
        if not decision.chosen:
            return dg.SkipReason(decision.in_words())
        stamp = context.scheduled_execution_time.isoformat()
        # Before the first run each run loads the items, which it could not do without.
        first = [] if stages.items.are_stored(store) else [asset_key(study, "items")]
        return [
            dg.RunRequest(run_key=f"{stamp}/{number}", asset_selection=first + assets, tags=tags)
            for number, (assets, tags) in enumerate(_requests(study, decision.chosen))
        ]

    return reruns


def _requests(
    study: Study, chosen: list[Partition]
) -> Iterator[tuple[list[dg.AssetKey], dict[str, str]]]:
    """The assets and tags of as few runs as cover the partitions and no other."""
    design, keys = study.design, PartitionKeys(study)
    rows, columns = [c.id for c in design.generate], [c.id for c in design.grade]
    for stage, across in ((GENERATE, ()), (GRADE, columns)):
        wanted = [part for part in chosen if part.stage is stage]
        for first, last in spans(wanted, rows, across):
            tags = {
                RANGE_START: keys.of(first),
                RANGE_END: keys.of(last),
                RERUN_TAG: study.name,
            }
            yield [asset_key(study, name) for name in stage.assets], tags


def _failed_runs(
    instance: dg.DagsterInstance, study: Study
) -> Iterator[tuple[datetime, list[Partition]]]:
    """Runs of the schedule that failed, some of them before their step could count itself."""
    asked = dg.RunsFilter(tags={RERUN_TAG: study.name}, statuses=[dg.DagsterRunStatus.FAILURE])
    design = (study.generate_partitions(), study.grade_partitions())
    grids = (generate_partitions(study), grade_partitions(study))
    keys = PartitionKeys(study)
    for record in instance.get_run_records(asked, limit=_MOST_FAILURES):
        tags = record.dagster_run.tags
        ends = [keys.partition(tags[RANGE_START]), keys.partition(tags[RANGE_END])]
        for partitions, grid in zip(design, grids, strict=True):
            if set(ends) <= set(partitions):
                span = dg.PartitionKeyRange(*map(keys.of, ends))
                found = grid.get_partition_keys_in_range(span)
                yield record.create_timestamp, keys.partitions(found, partitions)


def _by_dagster(
    instance: dg.DagsterInstance, study: Study
) -> tuple[set[Partition], set[Partition]]:
    """Partitions in progress, and those whose last run failed."""
    grids = {GENERATE: generate_partitions(study), GRADE: grade_partitions(study)}
    keys = PartitionKeys(study)
    found: dict[AssetPartitionStatus | None, set[Partition]] = {}
    for stage, grid in grids.items():
        statuses = instance.get_status_by_partition(
            asset_key(study, stage.table), grid.get_partition_keys(), grid
        )
        for key, status in (statuses or {}).items():
            found.setdefault(status, set()).add(keys.partition(key))
    return (
        found.get(AssetPartitionStatus.IN_PROGRESS, set()),
        found.get(AssetPartitionStatus.FAILED, set()),
    )
