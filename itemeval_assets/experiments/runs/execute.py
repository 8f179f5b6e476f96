"""Executes the job of an experiment on one of its runs, in this process."""

from contextlib import closing
from typing import Any

import dagster as dg

from itemeval_assets.core.errors import RunFailed, Stopped
from itemeval_assets.dagster_io import execution
from itemeval_assets.dagster_io.failures import failure_text
from itemeval_assets.dagster_io.results import ERROR, collecting
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.workers.runner import SpecRunner

from .assets import STORAGE, experiment_definitions, job_name
from .refs import RunRef


def execute(
    reference: RunRef,
    experiment: ExperimentFunction,
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance,
) -> RunFailed | None:
    """Run to the end, whatever happens; what went wrong, if anything has."""
    with closing(SpecRunner(settings, reference.watch)) as runner, collecting() as told:
        definitions = experiment_definitions([experiment], runner=runner)
        result = execution.execute(
            definitions.resolve_job_def(job_name(experiment)),
            instance,
            _run_config(reference.run),
            run_id=reference.dagster_run_id,
            partition_key=partition_of_run(reference.run),
        )
    if result.success:
        return None
    if reference.watch.is_stopped:
        return Stopped(f"{reference.run.experiment_id} was stopped; {reference.told_to_go_on}")
    if ERROR in told:
        return RunFailed(str(told[ERROR]))
    return _error_of(result, reference)


def _run_config(run: ExperimentRun) -> dict[str, Any]:
    settings = run.versioned_experiment.base_experiment.storage_settings
    storage = {"bucket": settings.location, "bucket_prefix": settings.BUCKET_PREFIX}
    return {"resources": {STORAGE: {"config": storage}}}


def _error_of(result: dg.ExecuteInProcessResult, reference: RunRef) -> RunFailed:
    """What ended a run that no error for the user has ended."""
    run_id, event = reference.run.experiment_id, execution.first_failure(result)
    if event is None:
        return RunFailed(f"{run_id}: Dagster run {result.run_id} failed; {reference.told_to_go_on}")
    return RunFailed(
        f"{run_id}: {event.step_key} failed: {failure_text(event)[:600]}\n{reference.told_to_go_on}"
    )
