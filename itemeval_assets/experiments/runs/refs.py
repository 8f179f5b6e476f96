"""What `allocate` gives of a started run: to wait for its results, or to see how it stands."""

import os
import sys
import threading
from dataclasses import dataclass, field

import dagster as dg
import pandas as pd

from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, RunFailed, Stopped
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.workers.bar import shown_until
from itemeval_assets.experiments.work.workers.watch import Watch


@dataclass(frozen=True)
class RunState:
    """The state of a started run: its status in Dagster, and the progress of its shards."""

    dagster: str
    shards: int
    shards_done: int
    succeeded: int | None
    failed: int | None


class LaunchFailed(RunFailed):
    """A run is published, and Dagster could not be told of it, or could not go on with it.

    `run` is the published run, to be resumed.
    """

    def __init__(self, run: ExperimentRun, why: Exception) -> None:
        told = str(why) if isinstance(why, ItemevalAssetsError) else f"{type(why).__name__}: {why}"
        told = without_secrets(told, os.environ)
        super().__init__(
            f"{run.experiment_id} is published in {run.uri}, but Dagster could not run it: {told}\n"
            "When that is corrected, resume(run) continues it; you need not publish it again"
        )
        self.run, self.__cause__ = run, why


# The runs of this process that have not ended, in the order in which they take turns.
OPEN: "list[RunRef]" = []
# Those that have ended with an error for which nobody has asked.
UNTOLD: "list[RunRef]" = []


@dataclass
class RunRef:
    """A run that was started, or that waits to be materialized when `is_started` is false.

    Runs of one process take turns, in the order in which they are started. `dagster_run_id` is the
    manifest's `workflow_run_id` if `allocate` started the run. `is_left`: a wait for its end timed
    out, and the process does not wait for it when it ends itself. `error`: why it has ended
    without results.
    """

    run: ExperimentRun
    dagster_run_id: str
    is_started: bool
    is_left: bool = False
    watch: Watch = field(default_factory=Watch, repr=False)
    _begun: threading.Event = field(default_factory=threading.Event, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    error: BaseException | None = field(default=None, repr=False)

    def result(self, timeout: float | None = None) -> pd.DataFrame:
        """Wait for the end, and return the scalars: a row per spec that succeeded.

        Ctrl-C stops this run and all others of the process; `resume` continues it. Raises RunFailed
        if the Dagster run failed, as it does if every spec failed; TimeoutError after `timeout`
        seconds (the run then ends with the process); LaunchFailed if Dagster could not start the
        run; ConfigError if nothing was started here.
        """
        if not self.is_started and self.error is None:
            raise ConfigError(
                f"{self.run.experiment_id} was published without being started; materialize "
                f"partition {partition_of_run(self.run)} in Dagster, or call resume()"
            )
        self.is_left = self.is_started and not self.wait(timeout)
        if self.is_left:
            raise TimeoutError(
                f"{self.run.experiment_id} is not finished after {timeout:g} s. It continues as "
                "long as this process runs. Finished specs are kept, and resume() continues from "
                "there"
            )
        if self.error is not None:
            self.has_told()
            raise self.error
        return self.run.load_results()

    def status(self) -> RunState:
        """The state of the run now; counts are null until the results are gathered."""
        place, backend = self.run.place, self.run.backend
        completion = self.run.status()
        shards = [RunPlace.shard_of(key) for key in backend.list(place.shard_inputs)]
        whole = {place.shard_output(shard) for shard in shards if shard is not None}
        return RunState(
            dagster=self._dagster_status(),
            shards=len(shards),
            shards_done=len(whole & set(backend.list(place.shard_outputs))),
            succeeded=completion.succeeded,
            failed=completion.failed,
        )

    def begin(self) -> None:
        """Say that it is the run's turn; for whoever runs it."""
        self._begun.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, whatever comes of it; whether it has come.

        Ctrl-C stops the run, and is raised again once it has stopped; a second one at once.
        """
        try:
            return shown_until(self._ended, self.watch, self.run.experiment_id, timeout)
        except KeyboardInterrupt:
            self.stop()
            raise

    def end(self, error: BaseException | None) -> None:
        """Say that the run has ended, and with which error; for whoever runs it."""
        self.error = error
        if error is not None:
            UNTOLD.append(self)
        if self in OPEN:
            OPEN.remove(self)
        self._ended.set()

    def has_told(self) -> None:
        """Say that people know of the error; for whoever has told them."""
        if self in UNTOLD:
            UNTOLD.remove(self)

    @property
    def told_to_go_on(self) -> str:
        """What to do about a run that has not come to its end."""
        return "finished specs are kept; materialize the partition again, or call resume()"

    def stop(self) -> None:
        """Stop this run and all others of the process, and wait until it has ended."""
        for reference in list(OPEN):
            reference.watch.stop()
        self.is_left = True
        if self.watch.is_at_work:
            _say(
                f"{self.run.experiment_id} stops when the spec at work is finished; "
                "Ctrl-C again ends the process at once"
            )
        self._ended.wait()
        self.is_left = False
        if self.error is None:
            _say(f"{self.run.experiment_id} had no spec left to run, and is finished")
        else:
            done, total = self.watch.done, self.watch.total
            after = f"after {done} of {total} specs" if total else "before its first spec"
            _say(f"{self.run.experiment_id} has stopped {after}; {self.told_to_go_on}")
            self.has_told()

    def _dagster_status(self) -> str:
        if not self.is_started:
            return dg.DagsterRunStatus.NOT_STARTED.value
        if not self._begun.is_set() and not self._ended.is_set():
            return dg.DagsterRunStatus.QUEUED.value
        if not self._ended.is_set():
            return dg.DagsterRunStatus.STARTED.value
        if isinstance(self.error, Stopped):
            return dg.DagsterRunStatus.CANCELED.value
        failed = self.error is not None
        return (dg.DagsterRunStatus.FAILURE if failed else dg.DagsterRunStatus.SUCCESS).value


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
