"""What `allocate` gives of a started run: to wait for its results, or to see how it stands."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets.core.errors import ConfigError

from .published import ExperimentRun
from .work import partition_of_run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunRef", "RunState"]


@dataclass(frozen=True)
class RunState:
    """How a started run stands: Dagster's word for it, and how far its shards are."""

    dagster: str
    shards: int
    shards_done: int
    succeeded: int | None
    failed: int | None


@dataclass
class RunRef:
    """A run that was started, or that waits to be materialized when `is_started` is false.

    Runs of one process take turns, in the order in which they are started. `dagster_run_id` is the
    manifest's `workflow_run_id` where the run was started by `allocate`. `is_left`: somebody has
    waited for its end in vain, and the process does not wait for it when it ends itself.
    """

    run: ExperimentRun[Any, Any]
    dagster_run_id: str
    is_started: bool
    is_left: bool = False
    _begun: threading.Event = field(default_factory=threading.Event, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _error: BaseException | None = field(default=None, repr=False)

    def result(self, timeout: float | None = None) -> "pd.DataFrame":
        """Wait for the end, and give the scalars: a row per spec that succeeded.

        Raises RunFailed when the Dagster run failed, as it does when every spec did;
        TimeoutError after `timeout` seconds, and then the end of the process ends the run, too;
        ConfigError when nothing was started here.
        """
        if not self.is_started:
            raise ConfigError(
                f"{self.run.experiment_id} was published without being started; materialize "
                f"partition {partition_of_run(self.run)} in Dagster, or call resume()"
            )
        self.is_left = not self._ended.wait(timeout)
        if self.is_left:
            raise TimeoutError(
                f"{self.run.experiment_id} is not finished after {timeout:g} s. It goes on as long "
                "as this process; what it has finished is kept, and resume() goes on from there"
            )
        if self._error is not None:
            raise self._error
        return self.run.load_results()

    def status(self) -> RunState:
        """How the run stands now; counts are null until the results are gathered."""
        place, backend = self.run.place, self.run.backend
        completion = self.run.status()
        return RunState(
            dagster=self._dagster_status(),
            shards=len(backend.list(place.shard_inputs)),
            shards_done=len(backend.list(place.shard_outputs)),
            succeeded=completion.succeeded,
            failed=completion.failed,
        )

    def begin(self) -> None:
        """Say that it is the run's turn; for whoever runs it."""
        self._begun.set()

    def wait(self) -> None:
        """Wait for the end, whatever comes of it."""
        self._ended.wait()

    def end(self, error: BaseException | None) -> None:
        """Say that the run has ended, and with which error; for whoever runs it."""
        self._error = error
        self._ended.set()

    def _dagster_status(self) -> str:
        if not self.is_started:
            return dg.DagsterRunStatus.NOT_STARTED.value
        if not self._begun.is_set() and not self._ended.is_set():
            return dg.DagsterRunStatus.QUEUED.value
        if not self._ended.is_set():
            return dg.DagsterRunStatus.STARTED.value
        failed = self._error is not None
        return (dg.DagsterRunStatus.FAILURE if failed else dg.DagsterRunStatus.SUCCESS).value
