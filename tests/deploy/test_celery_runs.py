"""When Dagster's run monitoring is told that a run has lost its worker."""

import time
from typing import Any

import pytest

pytest.importorskip("dagster_celery")

from dagster import DagsterRun
from dagster._core.launcher import WorkerStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from deploy.celery_runs import ASKED_TIMES, GONE_FOR_S, CheckedCeleryRunLauncher

RUN = DagsterRun(job_name="j", tags={DAGSTER_CELERY_TASK_ID_TAG: "t-1"})


class FakeCelery:
    """Celery with one task in a state, and workers that reply so, one reply per question."""

    def __init__(self, state: str, replies: list[Any]) -> None:
        self.state, self.replies = state, replies
        self.info = {"hostname": "celery@one"} if state == "STARTED" else None
        self.asked: list[list[str] | None] = []
        self.control = self

    def AsyncResult(self, task_id: str) -> "FakeCelery":
        assert task_id == "t-1"
        return self

    def inspect(
        self, timeout: float, destination: list[str] | None = None, limit: int | None = None
    ) -> "FakeCelery":
        # Without a limit, Celery collects replies until the time is over.
        assert limit == (destination and len(destination))
        self.asked.append(destination)
        return self

    def query_task(self, task_id: str) -> Any:
        return self.replies.pop(0)


def launcher_on(celery: FakeCelery) -> CheckedCeleryRunLauncher:
    launcher = CheckedCeleryRunLauncher("dagster", broker="memory://", backend="cache+memory://")
    launcher.celery = celery  # type: ignore[assignment]
    return launcher


def verdict(celery: FakeCelery) -> tuple[WorkerStatus, str]:
    result = launcher_on(celery).check_run_worker_health(RUN)
    return result.status, result.msg or ""


RUNS_IT = {"celery@one": {"t-1": ["active", {}]}}
IDLE = {"celery@one": {}}


@pytest.mark.parametrize("replies", [[RUNS_IT], [None, RUNS_IT], [None, None, RUNS_IT]])
def test_a_worker_that_says_it_runs_the_task_is_alive(replies: list[Any]) -> None:
    celery = FakeCelery("STARTED", replies)
    assert verdict(celery) == (WorkerStatus.RUNNING, "")
    assert set(map(str, celery.asked)) == {"['celery@one']"}


def test_a_worker_that_never_answers_is_gone() -> None:
    celery = FakeCelery("STARTED", [None] * ASKED_TIMES)
    assert verdict(celery) == (WorkerStatus.FAILED, "worker celery@one is gone")


def test_a_worker_that_is_gone_is_asked_once_about_its_other_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each question to a dead worker takes five seconds."""
    celery = FakeCelery("STARTED", [None] * 20)
    launcher = launcher_on(celery)
    for _ in range(3):
        assert launcher.check_run_worker_health(RUN).status == WorkerStatus.FAILED
    assert len(celery.asked) == ASKED_TIMES + 2
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + GONE_FOR_S + 1)
    launcher.check_run_worker_health(RUN)
    assert len(celery.asked) == 2 * ASKED_TIMES + 2


def test_a_worker_that_is_back_is_asked_as_before() -> None:
    celery = FakeCelery("STARTED", [None] * ASKED_TIMES + [RUNS_IT, None, None, RUNS_IT])
    launcher = launcher_on(celery)
    seen = [launcher.check_run_worker_health(RUN).status for _ in range(3)]
    assert seen == [WorkerStatus.FAILED, WorkerStatus.RUNNING, WorkerStatus.RUNNING]


def test_a_worker_that_was_started_again_does_not_run_what_it_ran() -> None:
    assert verdict(FakeCelery("STARTED", [IDLE]))[0] == WorkerStatus.FAILED


def test_a_run_goes_on_when_redis_has_lost_its_data() -> None:
    celery = FakeCelery("PENDING", [{"celery@two": {}, **RUNS_IT}])
    assert verdict(celery) == (WorkerStatus.RUNNING, "")
    assert celery.asked == [None]  # all workers


def test_a_run_that_nobody_knows_is_lost() -> None:
    lost = FakeCelery("PENDING", [IDLE])
    assert verdict(lost) == (WorkerStatus.FAILED, "no worker runs it")


@pytest.mark.parametrize("state", ["SUCCESS", "FAILURE", "REVOKED"])
def test_a_process_that_ended_has_left_its_run(state: str) -> None:
    status, why = verdict(FakeCelery(state, []))
    assert status == WorkerStatus.FAILED and state in why
