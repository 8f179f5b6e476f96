"""Starts Dagster runs of published runs, each in a thread of its own."""

import logging
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import dagster as dg

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.instances import uncaptured

from .assets import partitions_name
from .execute import error_of, execute
from .published import ExperimentRun
from .refs import RunRef
from .registry import Experiment
from .settings import ExperimentRunSettings
from .work import partition_of_run

__all__ = ["launch", "require_executable"]


def launch(
    run: ExperimentRun[Any, Any],
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance | None,
    *,
    start: bool,
    first: bool,
) -> RunRef:
    """Add the run's partition to the Dagster instance, and start it in a thread of its own.

    The first Dagster run of a published run has the id that is in its manifest.
    """
    experiment = run.versioned_experiment.base_experiment.experiment
    run_id = run.manifest().workflow_run_id if first else str(uuid.uuid4())
    reference = RunRef(run, run_id, is_started=start)
    if not start:
        with _instance(instance) as opened:
            _add_partition(experiment, run, opened)
        return reference
    _ = experiment.check  # filters warnings, which no thread may do beside others
    # No daemon: a script that ends without asking for the result does not cut the run off.
    threading.Thread(
        target=_work, args=(reference, experiment, settings, instance), name=run.experiment_id
    ).start()
    return reference


def require_executable(experiment: Experiment[Any, Any], settings: ExperimentRunSettings) -> None:
    """Raise ConfigError when other processes could not import the experiment's function."""
    if settings.executor == "multiprocess" and not experiment.is_importable:
        raise ConfigError(
            f"{experiment.origin} cannot be imported by other processes: it is defined in the "
            "script that runs, or inside a function; move it to a module, or use "
            'executor="in_process"'
        )


def _work(
    reference: RunRef,
    experiment: Experiment[Any, Any],
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance | None,
) -> None:
    """The body of the thread: run to the end, and keep what came of it."""
    problem: BaseException | None = None
    try:
        with _instance(instance) as opened:
            _add_partition(experiment, reference.run, opened)
            result = execute(reference, experiment, settings, opened)
        problem = None if result.success else error_of(result, reference.run)
    except BaseException as error:
        problem = error
    finally:
        reference.end(problem)
    if problem is not None and not threading.main_thread().is_alive():
        # The script is over: nobody is left to ask for the result.
        logging.getLogger(__name__).error("%s", problem)


def _add_partition(
    experiment: Experiment[Any, Any], run: ExperimentRun[Any, Any], instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(partitions_name(experiment), [partition_of_run(run)])


@contextmanager
def _instance(given: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    """The instance given, the one of DAGSTER_HOME, or one for this run only.

    The run goes on beside the script: what the script prints meanwhile stays the script's.
    """
    with ExitStack() as stack:
        if given is not None:
            opened = given
        elif os.environ.get("DAGSTER_HOME"):
            opened = stack.enter_context(dg.DagsterInstance.get())
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="itemeval_assets_"))
            quiet = {
                "telemetry": {"enabled": False},
                "python_logs": {"python_log_level": "CRITICAL"},
            }
            opened = stack.enter_context(dg.DagsterInstance.local_temp(folder, overrides=quiet))
        yield stack.enter_context(uncaptured(opened))
