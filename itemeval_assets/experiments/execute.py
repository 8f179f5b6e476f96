"""Executes the job of an experiment on one of its runs: in this process, or in several."""

import importlib
from typing import Any

import dagster as dg
from dagster._core.execution.api import execute_run

from itemeval_assets.core.errors import RunFailed
from itemeval_assets.dagster_io.failures import failure_text, is_for_user

from .assets import STORAGE, experiment_definitions, job_name
from .published import ExperimentRun
from .refs import RunRef
from .registry import Experiment, as_experiment
from .settings import ExperimentRunSettings
from .work import partition_of_run

__all__ = ["error_of", "execute", "experiment_job"]

PARTITION_TAG = "dagster/partition"
Result = dg.ExecuteInProcessResult | dg.JobExecutionResult


def execute(
    reference: RunRef,
    experiment: Experiment[Any, Any],
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance,
) -> Result:
    """Run to the end, whatever happens; the result says how it went."""
    if settings.executor == "in_process":
        return in_process(reference, experiment, instance)
    return in_processes(reference, experiment, settings, instance)


def in_process(
    reference: RunRef,
    experiment: Experiment[Any, Any],
    instance: dg.DagsterInstance,
) -> dg.ExecuteInProcessResult:
    definitions = experiment_definitions([experiment])
    return definitions.resolve_job_def(job_name(experiment)).execute_in_process(
        instance=instance,
        run_id=reference.dagster_run_id,
        partition_key=partition_of_run(reference.run),
        run_config=_run_config(reference.run),
        raise_on_error=False,
    )


def in_processes(
    reference: RunRef,
    experiment: Experiment[Any, Any],
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance,
) -> dg.JobExecutionResult:
    job = dg.build_reconstructable_job(
        __name__, experiment_job.__name__, reconstructable_args=(experiment.origin,)
    )
    # Processes that fork from one that has imported everything start at once.
    preload = {"preload_modules": [__name__, experiment.fn.__module__]}
    executor: dict[str, Any] = {"start_method": {"forkserver": preload}}
    if settings.max_concurrent:
        executor["max_concurrent"] = settings.max_concurrent
    run = instance.create_run_for_job(
        job.get_definition(),
        run_id=reference.dagster_run_id,
        run_config={
            **_run_config(reference.run),
            "execution": {"config": {"multiprocess": executor}},
        },
        tags={PARTITION_TAG: partition_of_run(reference.run)},
        job_code_origin=job.get_python_origin(),
    )
    return execute_run(job, run, instance, raise_on_error=False)


def _run_config(run: ExperimentRun[Any, Any]) -> dict[str, Any]:
    settings = run.versioned_experiment.base_experiment.storage_settings
    storage = {"bucket": settings.location, "bucket_prefix": settings.BUCKET_PREFIX}
    return {
        "resources": {STORAGE: {"config": storage}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def experiment_job(origin: str) -> dg.JobDefinition:
    """The job of the experiment at `module:qualname`; what a new process calls."""
    module, _, path = origin.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    experiment = found if isinstance(found, Experiment) else as_experiment(found)
    return experiment_definitions([experiment]).resolve_job_def(job_name(experiment))


def error_of(result: Result, run: ExperimentRun[Any, Any]) -> RunFailed:
    """The message of the first op that failed, as people read it."""
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        if is_for_user(event):
            return RunFailed(failure_text(event))
        return RunFailed(
            f"{run.experiment_id}: {event.step_key} failed: {failure_text(event)[:600]}\n"
            "What was finished is kept; materialize the partition again, or call resume()"
        )
    return RunFailed(f"{run.experiment_id}: Dagster run {result.run_id} failed")
