"""What happens meanwhile, in lines for whoever waits."""

import time
from collections.abc import Sequence

import dagster as dg

from .evidence import Worker

__all__ = ["Progress", "tell"]

_BEGAN = time.monotonic()
_LOOK_EVERY_S, _CALLS_EVERY_S = 0.5, 5.0
_TOLD = {
    dg.DagsterRunStatus.STARTED: "started",
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "was canceled",
}


def tell(what: str) -> None:
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {what}", flush=True)


class Progress:
    """Tells of runs that start and end, and of calls that arrived, whenever it looks."""

    def __init__(self, instance: dg.DagsterInstance, workers: Sequence[Worker]) -> None:
        self._instance, self._workers = instance, workers
        self._statuses: dict[str, dg.DagsterRunStatus] = {}
        self._looked = self._counted = 0.0
        self._calls = ""

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        for run in reversed(self._instance.get_runs()):
            if self._statuses.get(run.run_id) != run.status and run.status in _TOLD:
                tell(f"run {run.run_id[:8]} {_TOLD[run.status]}: {_work_of(run)}")
            self._statuses[run.run_id] = run.status
        calls = ", ".join(f"{one.name} {len(one.calls.arrived)}" for one in self._workers)
        if calls != self._calls and now - self._counted >= _CALLS_EVERY_S:
            tell(f"calls: {calls}")
            self._calls, self._counted = calls, now


def _work_of(run: dg.DagsterRun) -> str:
    """The assets of a run, and their partitions."""
    assets = ", ".join(sorted(key.path[-1] for key in run.asset_selection or []))
    first = run.tags.get("dagster/asset_partition_range_start") or run.tags.get("dagster/partition")
    last = run.tags.get("dagster/asset_partition_range_end", first)
    where = first if first == last else f"{first} to {last}"
    return f"{assets} ({where})" if first else assets
