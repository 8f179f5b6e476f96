"""Dagster's Celery run launcher, with one thing more: it notices when a worker is gone.

A worker that is killed with its machine cannot say so: in the result backend its task stays
STARTED for ever, and Dagster's run monitoring would believe that. Here the workers are asked.
"""

import time
from typing import Any

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

__all__ = ["CheckedCeleryRunLauncher"]

# How often, and how long each time, a worker is asked before it counts as gone.
ASKED_TIMES, PATIENCE_S = 3, 5.0

# A worker that has just been found gone is asked once about each further run that it had.
GONE_FOR_S = 60.0


class CheckedCeleryRunLauncher(CeleryRunLauncher):
    """Starts runs as Celery tasks; a run is healthy while a worker says that it runs it.

    A wrong verdict (a worker cut off from Redis for longer than it is asked) costs no call: the
    run that takes over waits until the leases of the first one have ended.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silent_since: dict[str | None, float] = {}

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING, or FAILED with the reason, of a run that has begun and not ended.

        Run monitoring reads the run once more before it acts: one that has just ended is safe.
        """
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        task = self.celery.AsyncResult(task_id)
        if task.state not in ("STARTED", "PENDING"):
            # A process that could not reach Postgres at its end has left the run unfinished.
            why = f"its process has ended ({task.state}) and could not say so"
            return CheckRunHealthResult(WorkerStatus.FAILED, why)
        # Redis without its data says PENDING of every task: then all workers are asked.
        worker = task.info["hostname"] if task.state == "STARTED" else None
        if self._is_run_by(worker, task_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        why = f"worker {worker} is gone" if worker else "no worker runs it"
        return CheckRunHealthResult(WorkerStatus.FAILED, why)

    def _is_run_by(self, worker: str | None, task_id: str) -> bool:
        just_gone = time.monotonic() - self._silent_since.get(worker, -GONE_FOR_S) < GONE_FOR_S
        for _ in range(1 if just_gone else ASKED_TIMES):
            # One that is asked alone is waited for until it has replied, and no longer.
            whom = {"destination": [worker], "limit": 1} if worker else {}
            asked = self.celery.control.inspect(**whom, timeout=PATIENCE_S)
            replies = asked.query_task(task_id)
            if replies:
                self._silent_since.pop(worker, None)
                return any(task_id in known for known in replies.values())
        self._silent_since[worker] = time.monotonic()
        return False
