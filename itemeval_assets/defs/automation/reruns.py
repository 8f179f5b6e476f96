"""The schedule that runs again what failed, down to the cell."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.spans import axes, spans
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.records.reruns import Decision
from itemeval_assets.dagster_io.failures import in_event, users_errors
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import (
    RANGE_END,
    RANGE_START,
    RERUN_TAG,
    asset_key,
    identifier,
)
from itemeval_assets.dagster_io.naming.partitions import partitions_of
from itemeval_assets.dagster_io.steps import opened
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study.inputs import load_prices

from .messages import left_out_text
from .notifications import webhook_of
from .waiting import tell_what_waits

# Dagster's own job of all assets: solutions and gradings have different partitions, which no
# other job can hold together.
_ALL_ASSETS_JOB = "__ASSET_JOB"
# A partition is given up after a few; the newest come first.
_MOST_FAILURES = 200
_NO_RUN = "no run"


def rerun_schedule(study: Study, settings: Settings) -> dg.ScheduleDefinition:
    """A tick asks for exactly the partitions with errored, missing or stale cells.

    And for those whose last run failed; each run calls just those cells. See `core.reruns` for
    what is left out, and why: the log of the tick says it, or its skip reason; the webhook, where
    there is one, what waits for somebody.
    """
    automation, status = study.config.automation, dg.DefaultScheduleStatus
    webhook = webhook_of(settings)

    @dg.schedule(
        name=f"{identifier(study)}_reruns",
        cron_schedule=automation.cron,
        execution_timezone=automation.timezone,
        job_name=_ALL_ASSETS_JOB,
        default_status=status.RUNNING if automation.started else status.STOPPED,
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
                why = f"no run is started: {in_event(str(refusal))}"
                tell_what_waits(context, study, webhook, {_NO_RUN: why})
                return dg.SkipReason(why)
        keys = PartitionKeys(study)
        tell_what_waits(context, study, webhook, _what_waits(study, decision))
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
        run_config = {} if settings.executor != "in_process" else _in_one_process(context)
        return [
            dg.RunRequest(f"{stamp}/{number}", run_config, tags, asset_selection=first + assets)
            for number, (assets, tags) in enumerate(_requests(study, decision.chosen))
        ]

    return reruns


def _what_waits(study: Study, decision: Decision) -> dict[str, str]:
    """What a tick leaves for somebody to decide, by its kind, in words."""
    keys = PartitionKeys(study)
    kinds = {
        "refused": (decision.refused, "the schedule leaves out what the gate would refuse", ""),
        "given up": (
            decision.given_up,
            "the schedule has given up partitions",
            f"Look at their errors; then: itemeval-assets reset {study.config_path}",
        ),
    }
    return {
        kind: left_out_text(why, {keys.of(part): decision.left_out[part] for part in parts}, todo)
        for kind, (parts, why, todo) in kinds.items()
        if parts
    }


def _in_one_process(context: dg.ScheduleEvaluationContext) -> dict[str, Any]:
    """The run config that keeps all steps in the process of their run.

    In a project of others the executor is Dagster's default, which starts a process for each step
    and takes seconds for it. An executor that somebody chose stays.
    """
    repository = context.repository_def
    job = repository.get_job(_ALL_ASSETS_JOB) if repository else None
    is_default = job is not None and job.executor_def is dg.multi_or_in_process_executor
    return {"execution": {"config": {"in_process": {}}}} if is_default else {}


def _requests(
    study: Study, chosen: list[Partition]
) -> Iterator[tuple[list[dg.AssetKey], dict[str, str]]]:
    """The assets and tags of as few runs as cover the partitions and no other."""
    keys = PartitionKeys(study)
    for stage in study.stages:
        wanted = [part for part in chosen if part.stage is stage]
        for first, last in spans(wanted, *axes(study, stage)):
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
    design = [study.partitions_of(stage) for stage in study.stages]
    grids = [partitions_of(study, stage) for stage in study.stages]
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
    grids = {stage: partitions_of(study, stage) for stage in study.stages}
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
