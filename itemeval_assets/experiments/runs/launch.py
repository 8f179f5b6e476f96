"""Starts Dagster runs of published runs: each in a thread of its own, one after the other."""

import atexit
import logging
import multiprocessing
import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import dagster as dg

from itemeval_assets.core.errors import ConfigError, RunFailed
from itemeval_assets.dagster_io.execution import instance_of
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.workers.runner import chosen_executor
from itemeval_assets.experiments.work.workers.worker import is_worker
from itemeval_assets.instances.instance import has_turn, taking_turns, uncaptured

from .assets import experiment_check, partitions_name
from .execute import execute
from .refs import OPEN, UNTOLD, LaunchFailed, RunRef


def launch(
    run: ExperimentRun,
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance | None,
    *,
    start: bool,
    first: bool,
) -> RunRef:
    """Add the run's partition to the Dagster instance, and start it in a thread of its own.

    The first Dagster run of a published run has the id that is in its manifest. The run is
    published, whatever comes now: what goes wrong is an error of the reference, and logged.
    """
    experiment = run.versioned_experiment.base_experiment.experiment
    reference = RunRef(run, str(uuid.uuid4()), is_started=start)
    try:
        if first:
            reference.dagster_run_id = run.manifest().workflow_run_id
        if start:
            experiment_check(experiment)  # filters warnings: no thread may do so beside others
            _begin(reference, partial(_work, reference, experiment, settings, instance))
        else:
            with _instance(instance) as opened:
                _add_partition(experiment, run, opened)
    except Exception as error:
        reference.end(LaunchFailed(run, error))
        logging.getLogger(__name__).warning("%s", reference.error)
        reference.has_told()
    except KeyboardInterrupt:
        logging.getLogger(__name__).warning(
            "%s is published in %s; resume(run) runs it", run.experiment_id, run.uri
        )
        raise
    return reference


def require_startable(
    experiment: ExperimentFunction, settings: ExperimentRunSettings, specs: int = 1
) -> None:
    """Raise ConfigError where a run of so many specs cannot be started from here."""
    if multiprocessing.parent_process() is not None:
        raise ConfigError(
            f"{experiment.name} cannot start in a child process: each child would publish a "
            "run. Start it from the script itself, below\n"
            '    if __name__ == "__main__":'
        )
    if has_turn() or is_worker():
        raise ConfigError(
            f"{experiment.name} cannot start inside a spec of another run: a process runs one at a "
            "time. Start it after that run, or call its function"
        )
    chosen_executor(experiment, settings, specs)


def require_known(instance: dg.DagsterInstance | None) -> None:
    """Raise ConfigError where no Dagster would know of a run that is published, and no more."""
    if instance is None and not os.environ.get("DAGSTER_HOME"):
        raise ConfigError(
            "start=False leaves the run to Dagster, but names no Dagster instance: set "
            "DAGSTER_HOME to that of the code location, or pass its instance"
        )


def _work(
    reference: RunRef,
    experiment: ExperimentFunction,
    settings: ExperimentRunSettings,
    instance: dg.DagsterInstance | None,
) -> None:
    """The body of the thread: run to the end, and keep what came of it."""
    problem: BaseException | None = None
    try:
        with _instance(instance) as opened:
            reference.begin()
            reference.watch.check()
            _add_partition(experiment, reference.run, opened)
            problem = execute(reference, experiment, settings, opened)
    except RunFailed as error:
        problem = error
    except Exception as error:
        problem = LaunchFailed(reference.run, error)
    except BaseException as error:
        problem = error
    finally:
        reference.end(problem)


def _begin(reference: RunRef, work: Callable[[], None]) -> None:
    """Run in a thread. A script that ends waits for its runs, but for one it waited for in vain."""
    OPEN.append(reference)
    threading.Thread(target=work, name=reference.run.experiment_id, daemon=True).start()


def _add_partition(
    experiment: ExperimentFunction, run: ExperimentRun, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(partitions_name(experiment), [partition_of_run(run)])


@atexit.register
def _wait_for_runs() -> None:
    is_interrupted = getattr(sys, "last_type", None) is KeyboardInterrupt
    # Those that come after one that is left wait for it, too.
    while OPEN and not OPEN[0].is_left:
        with suppress(KeyboardInterrupt):
            if is_interrupted:
                OPEN[0].stop()
            else:
                OPEN[0].wait()
    for reference in UNTOLD:
        # The script is over: nobody is left to ask for the result.
        logging.getLogger(__name__).error("%s", reference.error)


@contextmanager
def _instance(given: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    """The instance given, the one of DAGSTER_HOME, or one in memory for this run only.

    The run goes on beside the script: what the script prints meanwhile stays the script's.
    """
    home = os.environ.get("DAGSTER_HOME")
    with taking_turns(), ExitStack() as stack:
        if given is not None:
            yield stack.enter_context(uncaptured(given))
        elif home:
            yield stack.enter_context(instance_of(Path.cwd()))
        else:
            yield stack.enter_context(dg.DagsterInstance.ephemeral())
