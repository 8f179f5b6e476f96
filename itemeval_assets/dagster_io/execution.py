"""Runs jobs of Dagster in this process, for studies and experiments alike."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from itemeval_assets.host.interrupts import heeded
from itemeval_assets.instances.instance import ensure_home, open_instance, recording
from itemeval_assets.storage.locking.processes import is_gone, this_process

# Which process a run lives in: nobody else notices when it is killed. Dagster's pages hide it.
PROCESS_TAG = ".dagster/itemeval_assets_process"
_IN_PROGRESS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def instance_of(folder: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a project folder, or of DAGSTER_HOME; killed runs are marked as failed."""
    with open_instance(ensure_home(folder)) as instance:
        end_dead_runs(instance)
        yield instance


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
    **chosen: Any,
) -> dg.ExecuteInProcessResult:
    """Run a job to its end, whatever comes of it; `chosen` is what Dagster is told beside it.

    Raises HistoryError where the run cannot be recorded.
    """
    with recording(instance), heeded():
        return job.execute_in_process(
            instance=instance,
            run_config={**_QUIET, **run_config},
            tags={PROCESS_TAG: this_process(), **(tags or {})},
            raise_on_error=False,
            **chosen,
        )


def first_failure(result: dg.ExecuteInProcessResult) -> dg.DagsterEvent | None:
    """The failure of the first step that failed, if any has."""
    return next((event for event in result.all_events if event.is_step_failure), None)


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs of this machine whose process is gone as failed, and free their pools.

    A killed process cannot say so itself: its run would stay in progress for ever, and hold
    its place in a pool against all others.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_IN_PROGRESS)):
        if is_gone(run.tags.get(PROCESS_TAG, "")):
            instance.report_run_failed(run, "its process was killed")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
